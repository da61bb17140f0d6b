// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "core/run/device.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

int devices(bool json) {
    Json list = Json::array();
    for (const core::DeviceInfo& device : core::listDevices()) {
        list.push_back({{"name", device.name},
                        {"description", device.description},
                        {"usable", device.usable},
                        {"chosen", device.chosen},
                        {"reason", device.reason}});
        if (json) continue;
        printLine(fmt::format("{} {:<8} {}", device.chosen ? "*" : " ", device.name,
                              device.description.empty() ? "not available" : device.description));
        printLine(fmt::format("           {}", device.reason));
    }
    if (json) printJson({{"devices", list}});
    return 0;
}

}  // namespace

Command addDevices(CLI::App& root) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* app = root.add_subcommand("devices", "List every device, chosen or not, and why");
    addJsonOption(*app, *json);
    app->footer("Example: upcycle devices --json");
    return {app, [json] { return devices(*json); }};
}

}  // namespace upcycle
