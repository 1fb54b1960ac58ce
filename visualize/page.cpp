#include "visualize/page.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>

#include "autograd/core/error.h"
#include "visualize/assets.h"

namespace bertha {
namespace {

std::string to_base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string compress(std::span<const std::byte> bytes) {
  uLongf size = compressBound(bytes.size());
  std::string compressed(size, '\0');
  const int result = compress2(reinterpret_cast<Bytef*>(compressed.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), Z_DEFAULT_COMPRESSION);
  check<Error>(result == Z_OK, "page: zlib cannot compress ", bytes.size(), " bytes (code ", result, ")");
  compressed.resize(size);
  return compressed;
}

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

// Inside a script element only '<' can end it or begin a comment; in JSON it stands in strings alone.
std::string escaped_json(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

const Asset& find_asset(std::string_view name) {
  const auto found = std::ranges::find(assets(), name, &Asset::name);
  check<Error>(found != assets().end(), "page: '", name, "' was not built into this program");
  return *found;
}

std::vector<Asset> find_assets(std::string_view first, const std::vector<std::string_view>& others) {
  std::vector<Asset> found = {find_asset(first)};
  for (const std::string_view name : others) found.push_back(find_asset(name));
  return found;
}

std::string sources(const std::vector<Asset>& allowed) {
  std::string list;
  for (const Asset& asset : allowed) list.append(" '").append(asset.hash).append("'");
  return list;
}

std::string element(std::string_view tag, std::string_view content) {
  std::string html;
  html.reserve(content.size() + 2 * tag.size() + 8);
  const std::string_view name = tag.substr(0, tag.find(' '));
  html.append("<").append(tag).append(">").append(content).append("</").append(name).append(">\n");
  return html;
}

}  // namespace

PageBlock page_block(std::string name, std::span<const std::byte> bytes) {
  return {std::move(name), to_base64(compress(bytes))};
}

std::string to_html(const Page& page) {
  const std::vector<Asset> styles = find_assets("shell.css", page.styles);
  const std::vector<Asset> scripts = find_assets("shell.js", page.scripts);
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src" +
      sources(scripts) + "; style-src" + sources(styles) +
      "; img-src data: blob:; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += element("title", escaped(page.title));
  for (const Asset& style : styles) html += element("style", style.text);
  html += "<body>\n";
  html += element("script type=\"application/json\" id=\"data\"", escaped_json(page.data));
  for (const Asset& script : scripts) html += element("script", script.text);
  // Last, for the page is drawn before they are read.
  for (const PageBlock& block : page.blocks) {
    html += element("script type=\"application/octet-stream\" id=\"block-" + block.name + "\"", block.compressed);
  }
  return html;
}

}  // namespace bertha
