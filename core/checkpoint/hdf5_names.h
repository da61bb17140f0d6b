// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace core {

/// Our HDF5 format: one dataset per tensor, row-major, named as the tensor is: in the root group,
/// or in the groups that a name with slashes goes through (T5X's "encoder/layers_0/mlp/wi/kernel");
/// root attributes of text type: "format" = "upcycler", "config" = config.json, and the metadata.
/// Types that HDF5 does not have are stored as unsigned integers of their width, with an attribute
/// "dtype" = "BF16", "F8_E4M3", "F8_E5M2" or "BOOL"; F16 is a 2-byte IEEE float.
inline constexpr const char* kHdf5FormatAttribute = "format";
inline constexpr const char* kHdf5FormatName = "upcycler";
inline constexpr const char* kHdf5ConfigAttribute = "config";
inline constexpr const char* kHdf5DTypeAttribute = "dtype";

}  // namespace core
