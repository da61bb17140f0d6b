# SPDX-License-Identifier: Apache-2.0
# The sources of the CUDA backend, for both builds: the plug-in (nvcc) and the host SIMT harness (tests/gpu/simt), which has
# its own blas.h.
set(gpu_backend_sources
  cuda_backend.cpp handles.cpp memory_pool.cpp plugin.cpp readback.cpp sections.cpp staging.cpp
  activation.cu adafactor.cu attention.cu attention_backward.cu attention_backward_bf16.cu attention_bf16.cu combine_weights.cu cross_entropy.cu dropout.cu elementwise.cu embedding.cu
  grouped_linear.cu grouped_product.cu indices.cu layer_norm.cu linear.cu linear_products.cu memory.cu moe.cu optimizer.cu patches.cu probe.cu
  radix_sort.cu reduce.cu relative_bias.cu rms_norm.cu router_losses.cu routing.cu routing_tables.cu routing_top_k.cu rows.cu
  scan.cu softmax.cu)
list(TRANSFORM gpu_backend_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
