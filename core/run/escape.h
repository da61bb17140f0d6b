// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace core {

/// `text` (a name, a path, a sentence from a file) inside a line of GitHub-flavoured Markdown, a
/// table cell too: it shows as it is and is no markup, no HTML, no second line; cut at 200 bytes.
std::string escapedMarkdown(std::string_view text);

/// `text` in an XML element or a quoted attribute.
std::string escapedXml(std::string_view text);

}  // namespace core
