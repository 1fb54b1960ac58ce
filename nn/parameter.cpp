#include "nn/parameter.h"

#include <algorithm>
#include <cmath>

#include "autograd/core/random.h"

namespace bertha {
namespace {

constexpr int64_t kAlignment = 16;

float truncated_normal(RandomStream& stream) {
  for (;;) {
    const double x = stream.normal();
    if (std::abs(x) <= 2) return static_cast<float>(x);
  }
}

}  // namespace

Parameter& ParameterStore::add(Shape shape, Init init, std::vector<PublishedTensor> slices) {
  check(values_.empty(), "parameters: '", slices.front().name, "' registered after allocation");
  auto parameter = std::make_unique<Parameter>();
  parameter->index = parameters_.size();
  parameter->init = init;
  parameter->slices = std::move(slices);
  int64_t elements = 0;
  for (PublishedTensor& slice : parameter->slices) {
    if (published_name_) slice.name = published_name_(slice.name);
    slice.offset = elements;
    elements += slice.shape.numel();
  }
  check(elements == shape.numel(), "parameters: slices of '", parameter->slices.front().name, "' hold ", elements,
        " elements, the tensor ", shape);
  shapes_.push_back(shape);
  parameters_.push_back(std::move(parameter));
  return *parameters_.back();
}

void ParameterStore::allocate() {
  int64_t total = 0;
  for (auto it = parameters_.rbegin(); it != parameters_.rend(); ++it) {
    (*it)->offset = total;
    total += (shapes_[(*it)->index].numel() + kAlignment - 1) / kAlignment * kAlignment;
  }
  values_ = Tensor::zeros({total}, DType::f32);
  gradients_ = Tensor::zeros({total}, DType::f32);
  for (const auto& parameter : parameters_) {
    parameter->value = values_.view(parameter->offset, shapes_[parameter->index]);
    parameter->gradient = gradients_.view(parameter->offset, shapes_[parameter->index]);
    for (PublishedTensor& slice : parameter->slices) {
      slice.offset += parameter->offset;
      published_.push_back(slice);
    }
  }
  std::ranges::sort(published_, {}, &PublishedTensor::name);
}

void ParameterStore::initialize(uint64_t seed, double standard_deviation) {
  for (const auto& parameter : parameters_) {
    for (const PublishedTensor& slice : parameter->slices) {
      const std::span<float> out = values().subspan(slice.offset, slice.shape.numel());
      if (parameter->init != Init::kNormal) {
        std::ranges::fill(out, parameter->init == Init::kOnes ? 1.0f : 0.0f);
        continue;
      }
      RandomStream stream(seed, "initialization", hash_name(slice.name));
      for (float& x : out) x = static_cast<float>(standard_deviation) * truncated_normal(stream);
    }
  }
}

Parameter& Scope::weight(std::string_view name, Shape shape) const {
  return store_.add(shape, Init::kNormal, {{(*this / name).path(), shape, 0, true}});
}

Parameter& Scope::bias(std::string_view name, int64_t size) const {
  return store_.add({size}, Init::kZeros, {{(*this / name).path(), {size}, 0, false}});
}

Parameter& Scope::gain(std::string_view name, int64_t size) const {
  return store_.add({size}, Init::kOnes, {{(*this / name).path(), {size}, 0, false}});
}

Parameter& Scope::stacked(std::span<const std::string_view> modules, std::string_view name, Shape each,
                          Init init) const {
  std::vector<PublishedTensor> slices;
  for (const std::string_view module : modules) {
    slices.push_back({(*this / module / name).path(), each, 0, init == Init::kNormal});
  }
  const auto count = static_cast<int64_t>(modules.size());
  const Shape shape = each.rank() == 1 ? Shape{count * each[0]} : Shape{count * each[0], each[1]};
  return store_.add(shape, init, std::move(slices));
}

}  // namespace bertha
