# SPDX-License-Identifier: Apache-2.0
# The sources of the CUDA backend, for both builds: the plug-in (nvcc) and the host SIMT harness (tests/gpu/simt), which has
# its own blas.h.
set(gpu_backend_sources
  cuda_backend.cpp handles.cpp memory_pool.cpp staging.cpp plugin.cpp probe.cu
  attention_backward.cu indices.cu linear_products.cu radix_sort.cu routing_tables.cu routing_top_k.cu scan.cu)
foreach(op activation attention combine_weights cross_entropy dropout elementwise embedding grouped_linear layer_norm linear
        memory moe adafactor optimizer patches reduce relative_bias rms_norm router_losses routing rows softmax)
  if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/${op}.cu)
    list(APPEND gpu_backend_sources ${op}.cu)
  else()
    set(gpu_backend_incomplete TRUE)
  endif()
endforeach()
list(TRANSFORM gpu_backend_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
