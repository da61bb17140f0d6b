// SPDX-License-Identifier: Apache-2.0
// One op x is one fixed set of files: core/ops/x.h, core/ops/x.cpp, core/cpu/x.cpp, gpu/x.cu and
// tests/ops/x_test.cpp. What lies beside the ops is named here.
#include "tests/architecture/source_tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace {

using Names = std::set<std::string>;

/// Of core/ops: types, argument structs, and what several ops share.
const Names kNoOps{"host_traffic",       "assignment",        "backend",        "check",
                   "check_internal",     "op_work",           "optimizer_args", "profiling_backend",
                   "profiling_products", "profiling_routing", "types"};
/// Kernels that are long enough for a file and a test of their own, and the op that each is of.
const std::map<std::string, std::string> kSplitKernels{
    {"adafactor", "optimizer"}, {"combine_weights", "moe"}, {"router_losses", "routing"}};
/// Tests that are long enough for a file of their own, and the op that each is of.
const std::map<std::string, std::string> kSplitTests{{"attention_options", "attention"},
                                                     {"attention_tiles", "attention"}};
/// Of core/cpu: what no op alone is made of.
const Names kBackendParts{
    "block_products",  "block_products_internal",  "cpu_backend", "cpu_backend_internal",
    "instruction_set", "instruction_set_internal", "products",    "products_internal"};
/// Of tests/ops: what several ops share.
const Names kSharedTests{"backends",          "activation_reference", "cuda_plugin", "cuda_simt",
                         "exact_assignment",  "mixtures_test",        "norm_sizes",  "parity",
                         "repeatability_test"};

Names stemsOf(const std::string& folder) {
    Names stems;
    for (const SourceFile& file : readSources({folder}, {".h", ".cpp"}))
        if (const std::filesystem::path path(file.path); path.parent_path() == folder)
            stems.insert(path.stem().string());
    return stems;
}

Names ops() {
    Names names = stemsOf("core/ops");
    for (const std::string& other : kNoOps) names.erase(other);
    return names;
}

bool exists(const std::string& path) {
    return std::filesystem::exists(std::filesystem::path(UPCYCLER_SOURCE_DIR) / path);
}

TEST(Ops, EachIsAFixedSetOfFiles) {
    ASSERT_GT(ops().size(), 8U);
    for (const std::string& op : ops())
        for (const std::string& file :
             {"core/ops/" + op + ".h", "core/ops/" + op + ".cpp", "core/cpu/" + op + ".cpp",
              "gpu/" + op + ".cu", "tests/ops/" + op + "_test.cpp"})
            EXPECT_TRUE(exists(file)) << op << " has no " << file;
}

TEST(Ops, EveryKernelFileIsOfAnOp) {
    for (const std::string& stem : stemsOf("core/cpu"))
        EXPECT_TRUE(ops().contains(stem) || kSplitKernels.contains(stem) ||
                    kBackendParts.contains(stem))
            << "core/cpu/" << stem << ".cpp is neither an op nor named as part of one";
}

TEST(Ops, EveryOpTestIsOfAnOp) {
    for (const std::string& stem : stemsOf("tests/ops")) {
        if (kSharedTests.contains(stem)) continue;
        const std::string op = stem.substr(0, stem.rfind("_test"));
        EXPECT_TRUE(ops().contains(op) || kSplitKernels.contains(op) || kSplitTests.contains(op))
            << "tests/ops/" << stem << ".cpp tests no op";
    }
}

TEST(Ops, WhatIsNamedBesideThemExists) {
    for (const std::string& name : kNoOps) EXPECT_TRUE(stemsOf("core/ops").contains(name)) << name;
    for (const std::string& name : kBackendParts)
        EXPECT_TRUE(stemsOf("core/cpu").contains(name)) << name;
    for (const std::string& name : kSharedTests)
        EXPECT_TRUE(stemsOf("tests/ops").contains(name)) << name;
    for (const auto& [kernel, op] : kSplitKernels) {
        EXPECT_TRUE(exists("core/cpu/" + kernel + ".cpp")) << kernel;
        EXPECT_TRUE(ops().contains(op)) << kernel << " is a part of " << op;
    }
    for (const auto& [test, op] : kSplitTests) {
        EXPECT_TRUE(exists("tests/ops/" + test + "_test.cpp")) << test;
        EXPECT_TRUE(ops().contains(op)) << test << " is of " << op;
    }
}

}  // namespace
