// A plain C interface over the parts of libtorch that tch does not wrap.
// Everything named here lives in libtorch_cpu or libc10: no CUDA symbol, so it links on a machine without a GPU.
// No exception crosses: a failed call gives nullptr or -1 and leaves its words in a string of its thread.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <string>

static thread_local std::string last_error;

#define IMGEN_TRY(failed, ...)                                                                  \
  try { __VA_ARGS__ }                                                                           \
  catch (const c10::Error& e) { last_error = e.what_without_backtrace(); }                      \
  catch (const std::exception& e) { last_error = e.what(); }                                    \
  catch (...) { last_error = "an exception of an unknown kind"; }                               \
  return failed;

// Runs an operator that has no C++ function of its own, as scripts do.
static at::Tensor run(const char* name, torch::jit::Stack stack) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(&stack);
  return stack.at(0).toTensor();
}

extern "C" {
const char* imgen_last_error() { return last_error.c_str(); }

void* imgen_inference_mode_enter() { IMGEN_TRY(nullptr, return new c10::InferenceMode(true);) }
void imgen_inference_mode_leave(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }

// torch.Generator("cpu").manual_seed(seed): a Mersenne Twister of its own.
at::Generator* imgen_generator_new(uint64_t seed) {
  IMGEN_TRY(nullptr, return new at::Generator(at::detail::createCPUGenerator(seed));)
}
void imgen_generator_delete(at::Generator* generator) { delete generator; }

// What torch.randn(shape, generator=generator) does, in float32.
at::Tensor* imgen_generator_randn(at::Generator* generator, const int64_t* shape, size_t dimensions) {
  IMGEN_TRY(nullptr,
    return new at::Tensor(at::randn(at::IntArrayRef(shape, dimensions), *generator,
                                    at::TensorOptions().dtype(at::kFloat).device(at::kCPU)));)
}

// `weight`, [out, in] in bf16, in the order in which oneDNN multiplies it by about `rows` rows.
at::Tensor* imgen_pack_linear(const at::Tensor* weight, int64_t rows) {
  IMGEN_TRY(nullptr, return new at::Tensor(run("mkldnn::_reorder_linear_weight", {*weight, rows}));)
}

// What at::linear does, with a weight from the above. `bias` may be null.
at::Tensor* imgen_packed_linear(const at::Tensor* input, const at::Tensor* weight, const at::Tensor* bias) {
  IMGEN_TRY(nullptr,
    return new at::Tensor(run("mkldnn::_linear_pointwise",
        {*input, *weight, bias ? c10::IValue(*bias) : c10::IValue(), "none",
         c10::List<std::optional<at::Scalar>>(), c10::IValue()}));)
}
}
