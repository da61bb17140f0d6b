// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"
#include "tests/app/bad_files/bad_file.h"

namespace upcycle_test {

std::map<std::string, std::vector<BadFile>> allBadFiles() {
    return {{"safetensors", badSafetensors()},
            {"index", badIndexes()},
            {"hdf5", badHdf5()},
            {"npz", badNpz()},
            {"torch", badTorch()},
            {"config", badConfigs()},
            {"plan", badPlans()}};
}

std::string sourceFile(const std::string& path) {
    return core::readTextFile(core::Path(UPCYCLER_SOURCE_DIR) / path);
}

}  // namespace upcycle_test
