#include "visualize/page.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "autograd/core/error.h"
#include "visualize/assets.h"

namespace bertha {
namespace {

constexpr const char* kHostile = "</script><img src=x onerror=alert(1)>";

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Page, HostileTitlesAndDataStayText) {
  const std::string plain = to_html({.title = "page", .styles = {}, .scripts = {}, .data = "{}"});
  const std::string html = to_html(
      {.title = kHostile, .styles = {}, .scripts = {}, .data = "{\"a\":\"" + std::string(kHostile) + "<!--\"}"});
  EXPECT_EQ(count(html, "</script>"), count(plain, "</script>"));
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find("<!--"), std::string::npos);
  EXPECT_NE(html.find("<title>&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;</title>"), std::string::npos);
  EXPECT_NE(html.find("{\"a\":\"\\u003c/script>\\u003cimg src=x onerror=alert(1)>\\u003c!--\"}"), std::string::npos);
}

TEST(Page, PolicyNamesEachScriptAndStyleAndNothingElse) {
  const std::string html = to_html({.title = "page", .styles = {}, .scripts = {"d3.min.js"}, .data = "{}"});
  std::smatch policy;
  ASSERT_TRUE(std::regex_search(html, policy, std::regex("Content-Security-Policy\" content=\"([^\"]*)\"")));
  const std::string sources = policy[1];
  EXPECT_TRUE(sources.starts_with("default-src 'none'; script-src 'sha256-")) << sources;
  EXPECT_EQ(sources.find("unsafe"), std::string::npos);
  EXPECT_EQ(count(sources, "sha256-"), 3u);
}

TEST(Page, AsksNothingOfANetwork) {
  for (const Asset& asset : assets()) {
    if (asset.name.starts_with("d3.")) continue;  // whose licence and namespaces name addresses
    EXPECT_FALSE(std::regex_search(std::string(asset.text), std::regex("(src|href)=[\"']?https?:|url\\(|@import")))
        << asset.name;
  }
}

TEST(Page, BlocksAreCompressedAndNamed) {
  const std::vector<std::byte> zeros(100000);
  const PageBlock block = page_block("layer-0", zeros);
  EXPECT_LT(block.compressed.size(), 1000u);
  const std::string html = to_html({.title = "page", .styles = {}, .scripts = {}, .data = "{}", .blocks = {block}});
  EXPECT_NE(html.find("id=\"block-layer-0\">" + block.compressed + "</script>"), std::string::npos);
}

TEST(Page, AnAssetThatWasNotBuiltInIsNamed) {
  EXPECT_THROW(to_html({.title = "page", .styles = {}, .scripts = {"missing.js"}, .data = "{}"}), Error);
}

}  // namespace
}  // namespace bertha
