// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/run/job_data.h"
namespace core {
std::unique_ptr<JobData> openTextData(const JobSpec&, const ModelSpec&, const Path&) {
    throw Error(ErrorKind::BadInput, "text", "");
}
}  // namespace core
