#include "train/recipes/finetuning_inputs.h"

#include "autograd/core/error.h"
#include "tests/train/recipes/small_tables.h"
#include "train/model_directory.h"

namespace bertha {
namespace {

using Strings = std::vector<std::string>;

class FinetuningInputsTest : public SmallTables {
 protected:
  static std::vector<float> tensor(const ParameterStore& parameters, const std::string& name) {
    for (const PublishedTensor& tensor : parameters.published()) {
      if (tensor.name != name) continue;
      const auto values = parameters.values().subspan(tensor.offset, tensor.shape.numel());
      return {values.begin(), values.end()};
    }
    return {};
  }

  struct Begun {
    ModelDescription description;
    bool keeps_head = false;
    Strings sentences;
    std::vector<float> pooler, output_layer;
  };
  Begun begin(const Strings& overrides) const {
    const FinetuneConfig c = config(overrides);
    const FinetuningInputs inputs = read_finetuning_inputs(c);
    BertForTask model(inputs.description.config, task_head(inputs.description));
    Begun begun{inputs.description, inputs.keeps_head, initialize(model, c, inputs), {}, {}};
    begun.pooler = tensor(model.parameters(), "bert.pooler.dense.weight");
    begun.output_layer = tensor(model.parameters(), "classifier.weight");
    return begun;
  }
};

TEST_F(FinetuningInputsTest, TheHeadOfTheSameLabelsIsKept) {
  const std::string model = model_of_labels("given", {"sea", "hill"});
  const Begun begun = begin({"model.initialize_from=" + model});
  EXPECT_TRUE(begun.keeps_head);
  EXPECT_EQ(begun.description.task.labels, (Strings{"sea", "hill"})) << "in the order of the model";
  EXPECT_EQ(begun.sentences, Strings{"going on with the head and labels of " + model});
}

TEST_F(FinetuningInputsTest, TheLastLayerOfAHeadOfOtherLabelsIsNew) {
  const std::string model = model_of_labels("given", {"sea", "hill"});
  const Begun kept = begin({"model.initialize_from=" + model});
  write("train.tsv", "wet", "dry", 8);
  const Begun begun = begin({"model.initialize_from=" + model});
  EXPECT_FALSE(begun.keeps_head);
  EXPECT_EQ(begun.sentences, Strings{"a new head, initialised at random: classifier.bias, classifier.weight"});
  EXPECT_EQ(begun.pooler, kept.pooler);
  EXPECT_NE(begun.output_layer, kept.output_layer);
}

TEST_F(FinetuningInputsTest, LabelsWithoutNamesAreNumbers) {
  const std::string model = model_of_labels("given", {"LABEL_0", "LABEL_1"});
  write("train.tsv", "1", "0", 8);
  const Begun begun = begin({"model.initialize_from=" + model});
  EXPECT_TRUE(begun.keeps_head);
  EXPECT_EQ(begun.description.task.labels, (Strings{"LABEL_0", "LABEL_1"}));
}

TEST_F(FinetuningInputsTest, LabelsStandInTheOrderOfTheTeacher) {
  const std::string teacher = model_of_labels("teacher", {"sea", "hill"});
  EXPECT_EQ(begin({"distillation.teacher=" + teacher}).description.task.labels, (Strings{"sea", "hill"}));
  const Begun both = begin({"distillation.teacher=" + teacher, "model.initialize_from=" + teacher});
  EXPECT_TRUE(both.keeps_head);
  const std::string sorted = model_of_labels("sorted", {"hill", "sea"});
  const Begun differing = begin({"distillation.teacher=" + teacher, "model.initialize_from=" + sorted});
  EXPECT_FALSE(differing.keeps_head) << "its rows stand for other labels than the teacher's";
  EXPECT_EQ(differing.description.task.labels, (Strings{"sea", "hill"}));
  write("train.tsv", "wet", "dry", 8);
  EXPECT_THROW(begin({"distillation.teacher=" + teacher}), MismatchError);
}

}  // namespace
}  // namespace bertha
