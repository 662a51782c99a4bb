// A plain C interface over the parts of libtorch that tch does not wrap.
// Everything named here lives in libtorch_cpu or libc10: no CUDA symbol, so it links on a machine without a GPU.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

extern "C" {
void* imgen_inference_mode_enter() { return new c10::InferenceMode(true); }
void imgen_inference_mode_leave(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }
}
