// SPDX-License-Identifier: Apache-2.0
// What transformers needs to load an upcycled ViT or T5: the modelling file and the keys that name
// it. tests/reference/check_exports.py and check_t5_exports.py load such folders with transformers.
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
const std::string kT5File(kT5ModelingName);
const Json kOurT5Map{
    {"AutoModel", "modeling_upcycled_t5.UpcycledT5Model"},
    {"AutoModelForSeq2SeqLM", "modeling_upcycled_t5.UpcycledT5ForConditionalGeneration"},
    {"AutoModelForTextEncoding", "modeling_upcycled_t5.UpcycledT5EncoderModel"}};

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
    /// The config of moe/ is that of dense/ but for these keys and "upcycling".
    void expectDiffersIn(const char* architecture, const Json& autoMap) const {
        Json expected = config("dense");
        expected["architectures"] = {architecture};
        expected["auto_map"] = autoMap;
        Json found = config("moe");
        EXPECT_TRUE(found.contains("upcycling"));
        found.erase("upcycling");
        EXPECT_EQ(Json::diff(expected, found), Json::array());
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
    expectDiffersIn("UpcycledViTForImageClassification", kOurMap);
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

TEST_F(Modeling, TheFileForT5IsInTheProgram) {
    const std::string resource =
        readBytes(Path(UPCYCLER_SOURCE_DIR) / "resources/modeling" / kT5File);
    EXPECT_EQ(std::string(t5ModelingText()), resource);
    EXPECT_TRUE(resource.starts_with("# SPDX-License-Identifier: Apache-2.0\n"));
    for (const std::string type : {"T5", "MT5"})
        for (const auto& [key, name] : kOurT5Map.items()) {
            std::string className = name.get<std::string>().substr(kT5File.size() - 2);
            className.replace(className.find("T5"), 2, type);
            EXPECT_TRUE(contains(resource, "class " + className + "(")) << className;
            EXPECT_TRUE(contains(resource, className + ".register_for_auto_class(\"" + key + "\")"))
                << className;
        }
}

TEST_F(Modeling, AnUpcycledT5NamesItsOwnAndKeepsItsTokenizer) {
    const SmallT5 t5;
    const auto source = t5.write(folder / "dense");
    const std::vector<std::pair<std::string, std::string>> kept{
        {"spiece.model", std::string("\x0a\x00odd", 5)},
        {"tokenizer.json", "{ \"odd\" :1}\r\n"},
        {"tokenizer_config.json", "{}\n"},
        {"special_tokens_map.json", "{\"pad\":1}"},
        {"generation_config.json", "{ }"}};
    for (const auto& [name, content] : kept) writeBytes(folder / ("dense/" + name), content);
    SurgeryPlan made;
    made.layers["decoder.2"] = defaultLayerPlan(t5.spec(), *t5.spec().find("decoder.2"));
    made.layers["decoder.2"].moe.experts = 2;
    convert(*source, made, folder / "moe");
    EXPECT_EQ(readBytes(folder / ("moe/" + kT5File)), t5ModelingText());
    EXPECT_FALSE(std::filesystem::exists(folder / ("moe/" + kFile)));
    for (const auto& [name, content] : kept)
        EXPECT_EQ(readBytes(folder / ("moe/" + name)), content) << name;
    expectDiffersIn("UpcycledT5ForConditionalGeneration", kOurT5Map);
    EXPECT_TRUE(readSpec(*Checkpoint::open(folder / "moe")).find("decoder.2")->moe);
    writeBytes(folder / ("moe/" + kT5File), "an older one");
    convert(*Checkpoint::open(folder / "moe"), {}, folder / "again");
    EXPECT_EQ(readBytes(folder / ("again/" + kT5File)), t5ModelingText());
    EXPECT_EQ(readBytes(folder / "again/config.json"), readBytes(folder / "moe/config.json"));
}

TEST_F(Modeling, TheClassIsTheDenseModelsOwn) {
    const auto architecture = [](const std::string& type, const std::string& dense) {
        const std::string text = R"({"model_type": ")" + type + R"(", "architectures": [")" +
                                 dense + R"("], "upcycling": {"blocks": {"encoder.0": {}}}})";
        const Json made = Json::parse(configWithModeling(text, "config.json"));
        EXPECT_EQ(configWithModeling(made.dump(), "config.json"), made.dump());
        return made["architectures"].front().get<std::string>();
    };
    EXPECT_EQ(architecture("t5", "T5EncoderModel"), "UpcycledT5EncoderModel");
    EXPECT_EQ(architecture("t5", "T5Model"), "UpcycledT5Model");
    EXPECT_EQ(architecture("t5", "T5WithLMHeadModel"), "UpcycledT5ForConditionalGeneration");
    EXPECT_EQ(architecture("mt5", "MT5EncoderModel"), "UpcycledMT5EncoderModel");
    EXPECT_EQ(architecture("mt5", "MT5ForConditionalGeneration"),
              "UpcycledMT5ForConditionalGeneration");
}

TEST_F(Modeling, OnlyUpcycledModels) {
    for (const char* text :
         {R"({"model_type": "llama", "upcycling": {"blocks": {"decoder.0": {}}}})",
          R"({"model_type": "t5", "upcycling": {"blocks": {}}})",
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
