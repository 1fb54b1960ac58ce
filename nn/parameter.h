#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensor.h"

namespace bertha {

enum class Init { kNormal, kZeros, kOnes };

/// A tensor as published files know it: a range of rows of a registered parameter.
struct PublishedTensor {
  std::string name;
  Shape shape;
  int64_t offset = 0;         // of its first element in the store's flat blocks
  bool weight_decay = false;  // false for biases and LayerNorm
};

/// A registered tensor: what one module multiplies by in one go.
struct Parameter {
  size_t index = 0;  // in the order of registration, which is the order of first forward use
  Init init = Init::kNormal;
  int64_t offset = 0;  // of its first element in the store's flat blocks
  std::vector<PublishedTensor> slices;
  Tensor value, gradient;  // views of the flat blocks
};

/// All parameters of a model in one flat block of values and one of gradients, in reverse order of first forward use,
/// so that whatever backward has finished is one growing prefix. Parameters start at multiples of 16 elements; the gaps
/// between them stay zero in both blocks.
class ParameterStore {
 public:
  /// `published_name` turns BERT's name of a tensor, by which modules register it, into the one its files use.
  using Naming = std::function<std::string(std::string_view)>;
  explicit ParameterStore(Naming published_name) : published_name_(std::move(published_name)) {}
  /// BERT's names.
  ParameterStore() = default;

  /// Registers a tensor that files see as the rows of `slices`, one after the other. References stay valid.
  Parameter& add(Shape shape, Init init, std::vector<PublishedTensor> slices);

  /// Lays out both blocks; called once, after the last add. Gradients are zero.
  void allocate();

  /// Normal values truncated at two standard deviations (Devlin et al. 2018, published code), zeros or ones: each
  /// element a pure function of (seed, published name, position).
  void initialize(uint64_t seed, double standard_deviation);

  const std::vector<std::unique_ptr<Parameter>>& parameters() const { return parameters_; }
  /// Sorted by name.
  const std::vector<PublishedTensor>& published() const { return published_; }
  std::span<float> values() { return values_.span<float>(); }
  std::span<const float> values() const { return values_.span<float>(); }
  std::span<float> gradients() { return gradients_.span<float>(); }
  std::span<const float> gradients() const { return gradients_.span<float>(); }

 private:
  Naming published_name_;
  std::vector<std::unique_ptr<Parameter>> parameters_;
  std::vector<Shape> shapes_;  // by index; a parameter has a tensor only after allocate
  std::vector<PublishedTensor> published_;
  Tensor values_, gradients_;
};

/// A place in the tree of names, from which modules register their parameters.
class Scope {
 public:
  Scope(ParameterStore& store, std::string path) : store_(store), path_(std::move(path)) {}

  Scope operator/(std::string_view name) const {
    return {store_, path_.empty() ? std::string(name) : path_ + "." + std::string(name)};
  }
  const std::string& path() const { return path_; }

  Parameter& weight(std::string_view name, Shape shape) const;
  Parameter& bias(std::string_view name, int64_t size) const;
  /// LayerNorm's scale, starting at one.
  Parameter& gain(std::string_view name, int64_t size) const;
  /// Equal tensors of several scopes stacked by rows, multiplied as one: query, key and value.
  Parameter& stacked(std::span<const std::string_view> modules, std::string_view name, Shape each, Init init) const;

 private:
  ParameterStore& store_;
  std::string path_;
};

}  // namespace bertha
