// A plain C interface over the parts of libtorch that tch does not wrap.
// Everything named here lives in libtorch_cpu or libc10: no CUDA symbol, so it links on a machine without a GPU.
// No exception crosses: a failed call gives nullptr or -1 and leaves its words in a string of its thread.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

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

// Of one channel: how many pixels, their mean, and the sum of squared distances from it.
struct Moments {
  double count = 0, mean = 0, m2 = 0;
  // Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
  void join(double n, double other_mean, double other_m2) {
    double total = count + n, delta = other_mean - mean;
    mean += delta * n / total;
    m2 += other_m2 + delta * delta * count * n / total;
    count = total;
  }
};

// Adds pixels, [pixels, channels] in one piece, to the moments of their channels. Differences from the first pixel are summed, in
// stretches that stay in the cache, so that a large mean takes nothing from a small variance.
static void add_pixels(const float* data, int64_t pixels, int64_t channels, std::vector<Moments>& moments) {
  const int64_t stretch = std::max<int64_t>(1, std::min<int64_t>(256, 32768 / channels));
  std::vector<float> mean(channels), sum(channels);
  for (int64_t start = 0; start < pixels; start += stretch) {
    const int64_t count = std::min(stretch, pixels - start);
    const float* first = data + start * channels;
    std::fill(sum.begin(), sum.end(), 0.f);
    for (int64_t p = 1; p < count; p++)
      for (int64_t c = 0; c < channels; c++) sum[c] += first[p * channels + c] - first[c];
    for (int64_t c = 0; c < channels; c++) mean[c] = first[c] + sum[c] / count;
    std::fill(sum.begin(), sum.end(), 0.f);
    for (int64_t p = 0; p < count; p++)
      for (int64_t c = 0; c < channels; c++) {
        const float distance = first[p * channels + c] - mean[c];
        sum[c] += distance * distance;
      }
    for (int64_t c = 0; c < channels; c++) moments[c].join(count, mean[c], sum[c]);
  }
}

static at::Tensor group_norm(const at::Tensor& input, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const int64_t batch = input.size(0), channels = input.size(1), pixels = input.size(2) * input.size(3);
  const int64_t members = channels / groups;
  auto scale = at::empty({batch, channels, 1, 1}, input.options()), shift = at::empty_like(scale);
  const float *data = input.const_data_ptr<float>(), *gamma = weight.const_data_ptr<float>(), *beta = bias.const_data_ptr<float>();
  for (int64_t n = 0; n < batch; n++) {
    std::vector<Moments> moments(channels);
    add_pixels(data + n * pixels * channels, pixels, channels, moments);
    for (int64_t first = 0; first < channels; first += members) {
      Moments group;
      for (int64_t c = first; c < first + members; c++) group.join(moments[c].count, moments[c].mean, moments[c].m2);
      const double rstd = 1 / std::sqrt(group.m2 / group.count + eps);
      for (int64_t c = first; c < first + members; c++) {
        scale.data_ptr<float>()[n * channels + c] = float(rstd * gamma[c]);
        shift.data_ptr<float>()[n * channels + c] = float(beta[c] - group.mean * rstd * gamma[c]);
      }
    }
  }
  auto output = at::empty_like(input);
  at::addcmul_out(output, shift, input, scale);
  return output;
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

// torch.nn.functional.group_norm of a picture in f32 on the CPU whose channels lie side by side, `[batch, channels, height, width]`.
at::Tensor* imgen_group_norm(const at::Tensor* input, int64_t groups, const at::Tensor* weight, const at::Tensor* bias, double eps) {
  IMGEN_TRY(nullptr, return new at::Tensor(group_norm(*input, groups, *weight, *bias, eps));)
}
}
