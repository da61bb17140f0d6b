// SPDX-License-Identifier: Apache-2.0
// What transformers needs to load an upcycled ViT: the modelling file and the keys that name it.
// tests/reference/check_exports.py loads such folders with transformers itself.
#include "core/surgery/modeling.h"

#include "tests/core/surgery/surgery_helpers.h"

#include <nlohmann/json.hpp>

namespace core::test {
namespace {

using Json = nlohmann::ordered_json;

const std::string kFile(kVitModelingName);
const Json kOurMap{
    {"AutoModel", "modeling_upcycled_vit.UpcycledViTModel"},
    {"AutoModelForImageClassification", "modeling_upcycled_vit.UpcycledViTForImageClassification"}};

class Modeling : public testing::Test {
  protected:
    SurgeryPlan plan() const {
        SurgeryPlan made;
        made.layers["encoder.2"] = moeLayer(2);
        return made;
    }
    Json config(const std::string& name) const {
        return Json::parse(readBytes(folder / (name + "/config.json")));
    }
    TemporaryFolder folder;
};

TEST_F(Modeling, TheFileIsInTheProgram) {
    const std::string resource =
        readBytes(Path(UPCYCLER_SOURCE_DIR) / "resources/modeling" / kFile);
    EXPECT_EQ(std::string(vitModelingText()), resource);
    EXPECT_TRUE(resource.starts_with("# SPDX-License-Identifier: Apache-2.0\n"));
    for (const auto& [key, name] : kOurMap.items()) {
        const std::string className = name.get<std::string>().substr(kFile.size() - 2);
        EXPECT_TRUE(contains(resource, "class " + className + "(")) << className;
        EXPECT_TRUE(contains(resource, className + ".register_for_auto_class(\"" + key + "\")"));
    }
}

TEST_F(Modeling, AnExportNamesItAndCarriesIt) {
    const auto source = SmallVit{}.write(folder / "dense");
    convert(*source, plan(), folder / "moe");
    EXPECT_EQ(readBytes(folder / ("moe/" + kFile)), vitModelingText());
    Json expected = config("dense");
    expected["architectures"] = {"UpcycledViTForImageClassification"};
    expected["auto_map"] = kOurMap;
    Json found = config("moe");
    EXPECT_TRUE(found.contains("upcycling"));
    found.erase("upcycling");
    EXPECT_EQ(Json::diff(expected, found), Json::array());
    EXPECT_TRUE(readSpec(*Checkpoint::open(folder / "moe")).blocks[2].moe);
}

TEST_F(Modeling, ADenseModelIsLeftAlone) {
    const auto source = SmallVit{}.write(folder / "dense");
    convert(*source, {}, folder / "copy");
    EXPECT_FALSE(std::filesystem::exists(folder / ("copy/" + kFile)));
    EXPECT_EQ(readBytes(folder / "dense/config.json"), readBytes(folder / "copy/config.json"));
}

TEST_F(Modeling, AnOlderCopyIsReplaced) {
    const auto source = SmallVit{}.write(folder / "dense");
    convert(*source, plan(), folder / "moe");
    writeBytes(folder / ("moe/" + kFile), "an older one");
    convert(*Checkpoint::open(folder / "moe"), {}, folder / "again");
    EXPECT_EQ(readBytes(folder / ("again/" + kFile)), vitModelingText());
    EXPECT_EQ(readBytes(folder / "again/config.json"), readBytes(folder / "moe/config.json"));
}

TEST_F(Modeling, ThroughOneFileAndBack) {
    const auto source = SmallVit{}.write(folder / "dense");
    ConvertOptions hdf5;
    hdf5.format = FileFormat::Hdf5;
    convert(*source, plan(), folder / "moe.h5", hdf5);
    EXPECT_FALSE(std::filesystem::exists(folder / kFile));
    convert(*Checkpoint::open(folder / "moe.h5"), {}, folder / "back");
    EXPECT_EQ(readBytes(folder / ("back/" + kFile)), vitModelingText());
    EXPECT_EQ(config("back")["auto_map"], kOurMap);
}

TEST_F(Modeling, OtherKeysAndTheirOrderStay) {
    const std::string text = R"({"model_type": "vit", "auto_map": {"AutoImageProcessor": "p.P",
        "AutoModel": "other.Model"}, "architectures": ["ViTModel"], "odd": [1.50, null],
        "upcycling": {"schema": 1, "blocks": {"encoder.0": {}}}})";
    const Json made = Json::parse(configWithModeling(text, "config.json"));
    EXPECT_EQ(made["architectures"], Json::array({"UpcycledViTModel"}));
    EXPECT_EQ(made["auto_map"]["AutoImageProcessor"], "p.P");
    EXPECT_EQ(made["auto_map"]["AutoModel"], "modeling_upcycled_vit.UpcycledViTModel");
    EXPECT_EQ(made["odd"], Json::parse("[1.50, null]"));
    std::vector<std::string> keys;
    for (const auto& item : made.items()) keys.push_back(item.key());
    EXPECT_EQ(keys, (std::vector<std::string>{"model_type", "auto_map", "architectures", "odd",
                                              "upcycling"}));
    EXPECT_EQ(configWithModeling(made.dump(), "config.json"), made.dump());
}

TEST_F(Modeling, OnlyUpcycledVits) {
    for (const char* text :
         {R"({"model_type": "t5", "upcycling": {"blocks": {"encoder.0": {}}}})",
          R"({"model_type": "vit", "upcycling": {"blocks": {}}})",
          R"({"model_type": "vit", "upcycling": null})",
          R"({"model_type": ["vit"], "upcycling": {"blocks": {"encoder.0": {}}}})",
          R"({"model_type": "vit"})", "not JSON", ""}) {
        EXPECT_EQ(configWithModeling(text, "config.json"), text);
        EXPECT_TRUE(modelingFiles(text, "config.json").empty()) << text;
    }
    const std::string broken = errorOf(
        ErrorKind::BadInput, [] { configWithModeling("{\"upcycling\": ", "a/config.json"); });
    EXPECT_TRUE(contains(broken, "a/config.json")) << broken;
}

}  // namespace
}  // namespace core::test
