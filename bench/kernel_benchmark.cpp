// The kernels as a share of what the processor can do: multiplications of the limit that `measure_peak` finds, passes
// over memory in bytes a second. Beside ours, where their libraries are installed: OpenBLAS in f32 and oneDNN in bf16.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "autograd/core/parallel.h"
#include "autograd/kernels/activation.h"
#include "autograd/kernels/attention.h"
#include "autograd/kernels/cross_entropy.h"
#include "autograd/kernels/gemm.h"
#include "autograd/kernels/layer_norm.h"
#include "autograd/kernels/optimizer_update.h"
#include "autograd/kernels/peak.h"
#include "autograd/tensor.h"
#ifdef BERTHA_BENCH_OPENBLAS
#include <cblas.h>
#endif
#ifdef BERTHA_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace bertha {
namespace {

using kernels::GemmShape;
using kernels::kNo;
using kernels::kYes;

// Elements around zero, none of them special.
Tensor filled(Shape shape, DType dtype) {
  Tensor tensor = Tensor::uninitialized(shape, dtype);
  kernels::dispatch(dtype, [&]<class, class T>() {
    for (int64_t i = 0; i < tensor.numel(); ++i) {
      tensor.data<T>()[i] = T(static_cast<Precise<T>>(static_cast<double>(i * 7919 % 1000) / 1000 - 0.5));
    }
  });
  return tensor;
}

double peak(DType dtype) {
  static const double f32 = kernels::measure_peak(DType::f32);
  static const double bf16 = kernels::has_bf16() ? kernels::measure_peak(DType::bf16) : 0;
  return dtype == DType::bf16 ? bf16 : f32;
}

void report_flops(benchmark::State& state, double flops, DType dtype) {
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(flops * iterations / 1e9, benchmark::Counter::kIsRate);
  state.counters["of_limit"] = benchmark::Counter(flops * iterations / peak(dtype), benchmark::Counter::kIsRate);
}

// BERT-base, 16 x 128 tokens, 307 of them masked, and BERT-mini, 64 x 128: every product of a step.
struct NamedProduct {
  const char* name;
  GemmShape shape;
};
const NamedProduct kProducts[] = {{"base/qkv/forward", {kNo, kYes, 2048, 2304, 768}},
                                  {"base/qkv/dx", {kNo, kNo, 2048, 768, 2304}},
                                  {"base/qkv/dw", {kYes, kNo, 2304, 768, 2048}},
                                  {"base/context/forward", {kNo, kYes, 2048, 768, 768}},
                                  {"base/up/forward", {kNo, kYes, 2048, 3072, 768}},
                                  {"base/up/dx", {kNo, kNo, 2048, 768, 3072}},
                                  {"base/up/dw", {kYes, kNo, 3072, 768, 2048}},
                                  {"base/down/forward", {kNo, kYes, 2048, 768, 3072}},
                                  {"base/down/dx", {kNo, kNo, 2048, 3072, 768}},
                                  {"base/down/dw", {kYes, kNo, 768, 3072, 2048}},
                                  {"base/decoder/forward", {kNo, kYes, 307, 30522, 768}},
                                  {"base/decoder/dx", {kNo, kNo, 307, 768, 30522}},
                                  {"base/decoder/dw", {kYes, kNo, 30522, 768, 307}},
                                  {"mini/up/forward", {kNo, kYes, 8192, 1024, 256}},
                                  {"mini/up/dx", {kNo, kNo, 8192, 256, 1024}},
                                  {"mini/up/dw", {kYes, kNo, 1024, 256, 8192}},
                                  {"mini/decoder/forward", {kNo, kYes, 1229, 30522, 256}}};

double flops(const GemmShape& s) {
  return 2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
}

template <class Isa, class A, class B, class C>
void run_gemm(benchmark::State& state, const GemmShape& s) {
  const Tensor a = filled({s.m, s.k}, dtype_of<A>());
  const Tensor b = filled({s.k, s.n}, dtype_of<B>());
  Tensor c = filled({s.m, s.n}, dtype_of<C>());
  Tensor scratch = Tensor::uninitialized({kernels::gemm_scratch_bytes<Isa, A, B, C>(s) / 4 + 1}, DType::f32);
  for (auto _ : state) {
    kernels::gemm<Isa>(s, a.data<A>(), b.data<B>(), static_cast<const Precise<C>*>(nullptr), 0, c.data<C>(),
                       reinterpret_cast<std::byte*>(scratch.data<float>()));
  }
  report_flops(state, flops(s), dtype_of<A>());
}

#ifdef BERTHA_BENCH_OPENBLAS
void run_openblas(benchmark::State& state, const GemmShape& s) {
  const Tensor a = filled({s.m, s.k}, DType::f32);
  const Tensor b = filled({s.k, s.n}, DType::f32);
  Tensor c = filled({s.m, s.n}, DType::f32);
  const auto blas = [](kernels::Transpose t) { return t == kYes ? CblasTrans : CblasNoTrans; };
  for (auto _ : state) {
    cblas_sgemm(CblasRowMajor, blas(s.transpose_a), blas(s.transpose_b), static_cast<blasint>(s.m),
                static_cast<blasint>(s.n), static_cast<blasint>(s.k), 1, a.data<float>(),
                static_cast<blasint>(s.transpose_a == kYes ? s.m : s.k), b.data<float>(),
                static_cast<blasint>(s.transpose_b == kYes ? s.k : s.n), 0, c.data<float>(), static_cast<blasint>(s.n));
  }
  report_flops(state, flops(s), DType::f32);
}
#endif

#ifdef BERTHA_BENCH_ONEDNN
// Weights are packed beforehand, which ours does within the product; a gradient by weights gets plain f32 memory.
void run_onednn(benchmark::State& state, const GemmShape& s) {
  using dnnl::memory;
  using Tag = memory::format_tag;
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const bool weight_gradient = s.transpose_a == kYes;
  const auto type = memory::data_type::bf16;
  const memory::desc a_plain({s.m, s.k}, type, weight_gradient ? Tag::ba : Tag::ab);
  const memory::desc b_plain({s.k, s.n}, type, s.transpose_b == kYes ? Tag::ba : Tag::ab);
  const memory::desc b_wanted({s.k, s.n}, type,
                              weight_gradient ? (s.transpose_b == kYes ? Tag::ba : Tag::ab) : Tag::any);
  const memory::desc c_desc({s.m, s.n}, weight_gradient ? memory::data_type::f32 : type, Tag::ab);
  const dnnl::matmul::primitive_desc plan({a_plain, b_wanted, c_desc}, engine);
  const dnnl::matmul product(plan);
  Tensor a_values = filled({s.m, s.k}, DType::bf16);
  Tensor b_values = filled({s.k, s.n}, DType::bf16);
  memory a(a_plain, engine, a_values.data<bfloat16>());
  memory b_source(b_plain, engine, b_values.data<bfloat16>());
  memory b(plan.weights_desc(), engine);
  memory c(c_desc, engine);
  dnnl::reorder(b_source, b).execute(stream, b_source, b);
  for (auto _ : state) {
    product.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    stream.wait();
  }
  report_flops(state, flops(s), DType::bf16);
}
#endif

constexpr int64_t kTokens = 2048, kHidden = 768, kIntermediate = 3072, kVocabulary = 30522, kMasked = 307;

template <class Isa, class T>
void run_attention(benchmark::State& state, int64_t length, bool backward) {
  using P = Precise<T>;
  std::vector<int32_t> cu_seqlens;
  for (int64_t begin = 0; begin <= kTokens; begin += length) cu_seqlens.push_back(static_cast<int32_t>(begin));
  std::vector<uint64_t> keys(kTokens);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = i;
  const kernels::Dropout dropout{.key = 1, .step = 1, .threshold = 6554, .row_keys = keys.data()};
  const kernels::AttentionShape shape{.sequences = kTokens / length,
                                      .heads = 12,
                                      .head_size = 64,
                                      .cu_seqlens = cu_seqlens.data(),
                                      .longest = length,
                                      .cu_queries = cu_seqlens.data()};
  const Tensor qkv = filled({kTokens, 3 * kHidden}, dtype_of<T>());
  Tensor y = filled({kTokens, kHidden}, dtype_of<T>());
  Tensor lse = filled({kTokens, 12}, dtype_of<P>());
  Tensor dqkv = filled({kTokens, 3 * kHidden}, dtype_of<T>());
  Tensor scratch = filled({num_threads(), kernels::attention_scratch<Isa>(shape)}, dtype_of<P>());
  for (auto _ : state) {
    if (backward) {
      kernels::attention_backward<Isa>(shape, dropout, qkv.data<T>(), y.data<T>(), y.data<T>(), lse.data<P>(), 0,
                                       dqkv.data<T>(), scratch.data<P>());
    } else {
      kernels::attention<Isa>(shape, dropout, qkv.data<T>(), y.data<T>(), lse.data<P>(), scratch.data<P>());
    }
  }
  report_flops(state, (backward ? 10.0 : 4.0) * kTokens * static_cast<double>(length) * kHidden, dtype_of<T>());
}

template <class F>
void run_pass(benchmark::State& state, int64_t elements, int64_t bytes, F&& f) {
  for (auto _ : state) f();
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * bytes);
  state.counters["ns/element"] = benchmark::Counter(static_cast<double>(state.iterations()) * elements / 1e9,
                                                    benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class Isa, class T>
void run_gelu(benchmark::State& state, bool backward) {
  const Tensor u = filled({kTokens, kIntermediate}, dtype_of<T>());
  const Tensor bias = filled({kIntermediate}, dtype_of<Precise<T>>());
  Tensor y = filled(u.shape(), u.dtype());
  Tensor du = filled(u.shape(), u.dtype());
  const int64_t bytes = u.numel() * static_cast<int64_t>(sizeof(T));
  run_pass(state, u.numel(), (backward ? 4 : 2) * bytes, [&] {
    if (backward) {
      kernels::bias_gelu_backward<Isa>(kernels::Gelu::kErf, kTokens, kIntermediate, u.data<T>(),
                                       bias.data<Precise<T>>(), du.data<T>(), du.data<T>(), y.data<T>());
    } else {
      kernels::bias_gelu<Isa>(kernels::Gelu::kErf, kTokens, kIntermediate, u.data<T>(), bias.data<Precise<T>>(),
                              y.data<T>());
    }
  });
}

template <class Isa, class T>
void run_norm(benchmark::State& state, bool backward) {
  using P = Precise<T>;
  std::vector<uint64_t> keys(kTokens);
  const kernels::Dropout dropout{.key = 1, .step = 1, .threshold = 6554, .row_keys = keys.data()};
  const Tensor x = filled({kTokens, kHidden}, dtype_of<T>());
  const Tensor weights = filled({kHidden}, dtype_of<P>());
  Tensor normalized = filled(x.shape(), x.dtype());
  Tensor y = filled(x.shape(), x.dtype());
  Tensor dx = filled(x.shape(), x.dtype());
  Tensor rstd = filled({kTokens}, dtype_of<P>());
  Tensor sums = filled({3, kHidden}, dtype_of<P>());
  Tensor scratch = filled({kTokens / kernels::kLayerNormBlock + num_threads(), 3, kHidden}, dtype_of<P>());
  run_pass(state, x.numel(), 4 * x.numel() * static_cast<int64_t>(sizeof(T)), [&] {
    if (backward) {
      kernels::dropout_add_layer_norm_backward<Isa>(
          dropout, kTokens, kHidden, y.data<T>(), normalized.data<T>(), rstd.data<P>(), weights.data<P>(),
          kernels::Target<T>{y.data<T>(), 0}, kernels::Target<T>{dx.data<T>(), 0},
          kernels::Target<P>{sums.data<P>(), 0}, kernels::Target<P>{sums.data<P>() + kHidden, 0},
          kernels::Target<P>{sums.data<P>() + 2 * kHidden, 0}, scratch.data<P>());
    } else {
      kernels::dropout_add_layer_norm<Isa>(dropout, kTokens, kHidden, x.data<T>(), weights.data<P>(), dx.data<T>(),
                                           weights.data<P>(), weights.data<P>(), 1e-12, normalized.data<T>(),
                                           rstd.data<P>(), y.data<T>(), scratch.data<P>());
    }
  });
}

template <class Isa, class T>
void run_cross_entropy(benchmark::State& state) {
  using P = Precise<T>;
  Tensor logits = filled({kMasked, kVocabulary}, dtype_of<P>());
  Tensor dlogits = filled({kMasked, kVocabulary}, dtype_of<T>());
  const std::vector<int32_t> labels(kMasked, 5);
  std::vector<double> losses(kMasked);
  std::vector<uint8_t> correct(kMasked);
  run_pass(state, logits.numel(), logits.numel() * static_cast<int64_t>(sizeof(P) + sizeof(T)), [&] {
    kernels::cross_entropy<Isa>(kMasked, kVocabulary, logits.data<P>(), labels.data(), 1.0, losses.data(),
                                correct.data(), dlogits.data<T>());
  });
}

void run_adamw(benchmark::State& state) {
  constexpr int64_t kElements = int64_t{16} << 20;
  Tensor p = filled({kElements}, DType::f32), g = filled({kElements}, DType::f32);
  Tensor m = Tensor::zeros({kElements}, DType::f32), v = Tensor::zeros({kElements}, DType::f32);
  const kernels::AdamCoefficients c{1, 0.1f, 0.999f, 0.001f, 1, 1, 1e-6f};
  run_pass(state, kElements, 7 * 4 * kElements, [&] {
    parallel_for(kElements, 1 << 14, [&](int64_t begin, int64_t end) {
      kernels::adamw_update(p.data<float>() + begin, g.data<float>() + begin, m.data<float>() + begin,
                            v.data<float>() + begin, end - begin, c, 1e-4f, 0.9999f);
    });
  });
}

void add(const std::string& name, const std::string& type, auto&& f) {
  benchmark::RegisterBenchmark((name + "/" + type).c_str(), f)->UseRealTime()->Unit(benchmark::kMillisecond);
}

template <class Isa, class T>
void add_products(const std::string& type) {
  for (const NamedProduct& p : kProducts) {
    add(std::string("gemm/") + p.name, type, [s = p.shape](benchmark::State& state) {
      if constexpr (!std::is_same_v<T, bfloat16>) {
        run_gemm<Isa, T, T, T>(state, s);
      } else if (s.transpose_a == kYes) {
        run_gemm<Isa, bfloat16, bfloat16, float>(state, s);
      } else {
        run_gemm<Isa, bfloat16, float, bfloat16>(state, s);
      }
    });
  }
}

template <class Isa, class T>
void add_attention(const std::string& type) {
  for (const int64_t length : {128, 512}) {
    const std::string name = "attention/" + std::to_string(length);
    add(name + "/forward", type, [=](benchmark::State& s) { run_attention<Isa, T>(s, length, false); });
    add(name + "/backward", type, [=](benchmark::State& s) { run_attention<Isa, T>(s, length, true); });
  }
}

template <class Isa, class T>
void add_others(const std::string& type) {
  add("bias_gelu/forward", type, [](benchmark::State& s) { run_gelu<Isa, T>(s, false); });
  add("bias_gelu/backward", type, [](benchmark::State& s) { run_gelu<Isa, T>(s, true); });
  add("dropout_add_layer_norm/forward", type, [](benchmark::State& s) { run_norm<Isa, T>(s, false); });
  add("dropout_add_layer_norm/backward", type, [](benchmark::State& s) { run_norm<Isa, T>(s, true); });
  add("cross_entropy", type, run_cross_entropy<Isa, T>);
}

template <class Isa, class T>
void add_kernels(const std::string& type) {
  add_attention<Isa, T>(type);
  add_others<Isa, T>(type);
  add_products<Isa, T>(type);
}

void add_all() {
  add_kernels<kernels::Avx2, float>("f32_avx2");
  if (kernels::has_avx512()) add_kernels<kernels::Avx512, float>("f32_avx512");
  if (kernels::has_bf16()) add_kernels<kernels::Avx512, bfloat16>("bf16");
  if (kernels::has_amx()) {
    add_attention<kernels::Amx, bfloat16>("bf16_amx");
    add_products<kernels::Amx, bfloat16>("bf16_amx");
  }
  benchmark::RegisterBenchmark("adamw", run_adamw)->UseRealTime()->Unit(benchmark::kMillisecond);
  for ([[maybe_unused]] const NamedProduct& p : kProducts) {
#ifdef BERTHA_BENCH_OPENBLAS
    add(std::string("gemm/") + p.name, "f32_openblas",
        [s = p.shape](benchmark::State& state) { run_openblas(state, s); });
#endif
#ifdef BERTHA_BENCH_ONEDNN
    if (kernels::has_bf16()) {
      add(std::string("gemm/") + p.name, "bf16_onednn",
          [s = p.shape](benchmark::State& state) { run_onednn(state, s); });
    }
#endif
  }
}

}  // namespace
}  // namespace bertha

int main(int argc, char** argv) {
  bertha::add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
