#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// Numbers that a page keeps apart from its JSON: compressed, and unpacked by the page when it needs them.
struct PageBlock {
  std::string name;        // of letters, digits, '-' and '.'; unique in the page
  std::string compressed;  // zlib's format, base64
};

/// `bytes` as `bertha.block(name)` of assets/shell.js gives them back.
PageBlock page_block(std::string name, std::span<const std::byte> bytes);

/// What an HTML page is made of.
struct Page {
  std::string title;
  std::vector<std::string_view> styles, scripts;  // assets, in this order, after those that all pages have
  std::string data;                               // JSON, which the scripts find as `bertha.data`
  std::vector<PageBlock> blocks = {};
};

/// One self-contained HTML file. It opens from disk and asks nothing of a network: its Content-Security-Policy names
/// the scripts and styles that were built in, and whatever else is in the page stays text.
std::string to_html(const Page& page);

}  // namespace bertha
