#include "train/pretrain_config.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "autograd/core/error.h"
#include "train/config_tree.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

using Overrides = std::vector<std::string>;

constexpr const char* kComplete = R"(model: {preset: mini}
task: mlm
data:
  text: [corpus/*.txt]
training:
  steps: 1000
output: runs/mini
)";

PretrainConfig parse(const std::string& yaml, const Overrides& overrides = {}) {
  return parse_pretrain_config(yaml, "pretrain.yaml", overrides);
}

/// The sentence a configuration is refused with, or "accepted".
std::string refusal(const std::string& yaml, const Overrides& overrides = {}) {
  try {
    parse(yaml, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refused_override(const std::string& assignment) {
  return refusal(kComplete, {assignment});
}

std::string with_line(const std::string& line) {
  return std::string(kComplete) + line + "\n";
}

TEST(Config, LeftOutKeysHaveTheDocumentedDefaults) {
  const PretrainConfig c =
      parse("model: {preset: tiny}\ndata: {text: a.txt}\ntraining: {steps: 250}\noutput: runs/a\n");
  EXPECT_EQ(c.task, Objective::kMlm);
  EXPECT_EQ(c.data.text, std::vector<std::string>{"a.txt"});
  EXPECT_TRUE(c.data.lowercase);
  EXPECT_EQ(c.data.sequence_length, 128);
  EXPECT_EQ(c.masking.probability, 0.15);
  EXPECT_EQ(c.masking.mask, 0.8);
  EXPECT_FALSE(c.masking.whole_word);
  EXPECT_EQ(c.training.global_batch_size, 64);
  EXPECT_FALSE(c.training.micro_batch_size.has_value());
  EXPECT_EQ(c.training.optimizer, OptimizerKind::kAdamW);
  EXPECT_EQ(c.training.learning_rate, 1e-3);
  EXPECT_EQ(c.training.betas, (std::array{0.9, 0.999}));
  EXPECT_EQ(c.training.epsilon, 1e-6);
  EXPECT_EQ(c.training.warmup_steps, 25);
  EXPECT_EQ(c.training.schedule, ScheduleKind::kLinear);
  EXPECT_EQ(c.training.weight_decay, 0.01);
  EXPECT_EQ(c.training.clip_grad_norm, 1.0);
  EXPECT_EQ(c.training.precision, DType::f32);
  EXPECT_FALSE(c.training.recompute);
  EXPECT_EQ(c.training.seed, 1);
  EXPECT_FALSE(c.training.deterministic);
  EXPECT_TRUE(c.communication.overlap);
  EXPECT_FALSE(c.communication.shard_optimizer);
  EXPECT_EQ(c.communication.verify_every, 100);
  EXPECT_EQ(c.spikes.action, SpikeAction::kNone);
  EXPECT_EQ(c.spikes.threshold, 10);
  EXPECT_EQ(c.spikes.window, 100);
  EXPECT_EQ(c.communication.stall_limit, std::chrono::seconds(300));
  EXPECT_EQ(c.evaluation.every_steps, 100);
  EXPECT_EQ(c.checkpoint.every_steps, 200);
  EXPECT_EQ(c.checkpoint.keep, 3);
}

TEST(Config, EveryKeyCanBeWritten) {
  const PretrainConfig c = parse(R"(
model: {preset: mini, vocab_size: 30522}
task: mlm
data:
  text: [corpus/*.txt]
  evaluation_text: [held-out.txt]
  vocab: vocab.txt
  lowercase: true
  sequence_length: 128
masking: {probability: 0.15, mask: 0.8, random: 0.1, keep: 0.1, whole_word: false}
training:
  steps: 1000
  global_batch_size: 64
  micro_batch_size: 16
  optimizer: adamw
  learning_rate: 1e-3
  betas: [0.9, 0.999]
  epsilon: 1e-6
  warmup_steps: 100
  schedule: linear
  weight_decay: 0.01
  clip_grad_norm: 1.0
  precision: f32
  recompute: false
  seed: 1
  deterministic: false
communication: {overlap: true, stall_limit: 300s}
spikes: {action: none, threshold: 10, window: 100}
evaluation: {every_steps: 100}
checkpoint: {every_steps: 200, keep: 3}
output: runs/mini
)");
  EXPECT_EQ(
      differences(parse(kComplete), c),
      (std::vector<std::string>{"data.evaluation_text: left out -> [held-out.txt]", "data.vocab: left out -> vocab.txt",
                                "training.micro_batch_size: left out -> 16"}))
      << "all other values are the defaults";
}

TEST(Config, PublishedKeysChangeThePresetWhereverTheyStand) {
  const PretrainConfig c = parse(R"(
model: {vocab_size: 8192, hidden_act: gelu_new, preset: mini, hidden_dropout_prob: 0}
task: mlm_nsp
data: {shards: shards, vocab: vocab.txt, lowercase: false, sequence_length: 64}
training: {epochs: 3, optimizer: lamb, schedule: warmup_stable_decay, betas: [0.8, 0.98], seed: 7, deterministic: true}
output: "runs/a run"
)");
  BertConfig expected = preset("mini");
  expected.vocab_size = 8192;
  expected.hidden_act = "gelu_new";
  expected.hidden_dropout_prob = 0;
  EXPECT_EQ(c.model.config, expected);
  EXPECT_EQ(c.model.preset, "mini");
  EXPECT_EQ(c.task, Objective::kMlmNsp);
  EXPECT_EQ(c.data.shards, "shards");
  EXPECT_FALSE(c.data.lowercase);
  EXPECT_EQ(c.training.epochs, 3);
  EXPECT_FALSE(c.training.warmup_steps.has_value()) << "the steps are not known yet";
  EXPECT_EQ(c.training.optimizer, OptimizerKind::kLamb);
  EXPECT_EQ(c.training.schedule, ScheduleKind::kWarmupStableDecay);
  EXPECT_EQ(c.training.betas, (std::array{0.8, 0.98}));
  EXPECT_TRUE(c.training.deterministic);
  EXPECT_EQ(c.output, "runs/a run");
}

TEST(Config, OverridesStandAsIfInTheFile) {
  const PretrainConfig c =
      parse(kComplete, {"model.vocab_size=8192", "data.text=[b.txt, 'c d.txt']", "training.steps=5",
                        "training.steps=20", "training.learning_rate=5e-4", "training.betas=[0.9, 0.98]",
                        "training.precision=bf16", "training.recompute=true", "masking={probability: 0.2}",
                        "communication={overlap: false, shard_optimizer: true, verify_every: 0}",
                        "spikes.action=rewind", "spikes.threshold=7.5", "spikes.window=50", "output=runs/other"});
  EXPECT_EQ(c.model.config.vocab_size, 8192);
  EXPECT_EQ(c.data.text, (std::vector<std::string>{"b.txt", "c d.txt"}));
  EXPECT_EQ(c.training.steps, 20) << "the last one wins";
  EXPECT_EQ(c.training.warmup_steps, 2);
  EXPECT_EQ(c.training.learning_rate, 5e-4);
  EXPECT_EQ(c.training.betas[1], 0.98);
  EXPECT_EQ(c.training.precision, DType::bf16);
  EXPECT_TRUE(c.training.recompute);
  EXPECT_EQ(c.masking.probability, 0.2);
  EXPECT_FALSE(c.communication.overlap);
  EXPECT_TRUE(c.communication.shard_optimizer);
  EXPECT_EQ(c.communication.verify_every, 0);
  EXPECT_EQ(c.spikes.action, SpikeAction::kRewind);
  EXPECT_EQ(c.spikes.threshold, 7.5);
  EXPECT_EQ(c.spikes.window, 50);
  EXPECT_EQ(c.output, "runs/other");
}

TEST(Config, AnOverrideWithNullLeavesTheKeyOut) {
  const PretrainConfig c = parse(kComplete, {"training.steps=null", "training.epochs=2"});
  EXPECT_FALSE(c.training.steps.has_value());
  EXPECT_EQ(c.training.epochs, 2);
  EXPECT_EQ(parse(kComplete, {"model={initialize_from: runs/a/model}"}).model.initialize_from, "runs/a/model");
  EXPECT_EQ(refused_override("training.stepz="),
            "training.stepz=: unknown key 'stepz' in 'training' (did you mean 'steps'?)");
}

TEST(Config, TheLengthCanBeATime) {
  const PretrainConfig c = parse(kComplete, {"training.steps=null", "training.time_budget=120m"});
  EXPECT_EQ(c.training.time_budget, std::chrono::hours(2));
  EXPECT_FALSE(c.training.warmup_steps.has_value()) << "a tenth of the time";
  EXPECT_NE(to_yaml(c).find("  time_budget: 2h\n"), std::string::npos) << to_yaml(c);
}

TEST(Config, PrintsWhatLoadsBackToTheSame) {
  for (const Overrides& overrides : {
           Overrides{},
           Overrides{"model={initialize_from: \"a \\\"b\\\" \\\\ \\x01 é\"}",
                     "data.evaluation_text=['null', '*.txt', '1e3']"},
           Overrides{"training.steps=null", "training.epochs=3", "training.micro_batch_size=4",
                     "training.optimizer=lamb"},
           Overrides{"training.steps=null", "training.time_budget=90m"},
           Overrides{"training.learning_rate=0.1000000000000000055", "training.epsilon=1e-300",
                     "training.seed=123456789012"},
       }) {
    const PretrainConfig c = parse(kComplete, overrides);
    const std::string yaml = to_yaml(c);
    SCOPED_TRACE(yaml);
    EXPECT_EQ(differences(c, parse(yaml)), std::vector<std::string>{});
    EXPECT_EQ(to_yaml(parse(yaml)), yaml);
  }
}

TEST(Config, NamesEachDifference) {
  const PretrainConfig before = parse(kComplete);
  const PretrainConfig after = parse(kComplete, {"training.steps=2000", "data.vocab=vocab.txt"});
  EXPECT_EQ(differences(before, after),
            (std::vector<std::string>{"data.vocab: left out -> vocab.txt", "training.steps: 1000 -> 2000",
                                      "training.warmup_steps: 100 -> 200"}));
}

TEST(Config, UnknownKeysNameThePlaceAndTheNearestKey) {
  EXPECT_EQ(refusal("training:\n  warmup_step: 3\n"),
            "pretrain.yaml:2:3: unknown key 'warmup_step' in 'training' (did you mean 'warmup_steps'?)");
  EXPECT_EQ(refusal(with_line("trainning: {}")),
            "pretrain.yaml:8:1: unknown key 'trainning' (did you mean 'training'?)");
  EXPECT_EQ(refusal(with_line("learning_rate: 1")),
            "pretrain.yaml:8:1: unknown key 'learning_rate' (did you mean 'training.learning_rate'?)");
  EXPECT_EQ(refusal(with_line("checkpoint: {frequency: 1}")),
            "pretrain.yaml:8:14: unknown key 'frequency' in 'checkpoint' (expected every_steps or keep)");
  EXPECT_EQ(refused_override("training.warmup_step=3"),
            "training.warmup_step=3: unknown key 'warmup_step' in 'training' (did you mean 'warmup_steps'?)");
  EXPECT_NE(refused_override("training." + std::string(100000, 'k') + "=1").find("unknown key"), std::string::npos);
}

TEST(Config, WrongTypesSayWhatWasExpectedAndFound) {
  EXPECT_EQ(refusal("training: {steps: abc}"),
            "pretrain.yaml:1:19: expected an integer from 1 to 1000000000 for 'steps' in 'training', found 'abc'");
  EXPECT_EQ(refused_override("training.steps=abc"),
            "training.steps=abc: expected an integer from 1 to 1000000000 for 'steps' in 'training', found 'abc'");
  const std::pair<const char*, const char*> cases[]{
      {"training.steps=1.5", "expected an integer"},
      {"training.steps='10'", "found the text '10'"},
      {"training.steps=[1]", "found a list of 1"},
      {"training.steps={a: 1}", "found keys"},
      {"training.steps=99999999999999999999", "expected an integer"},
      {"training.steps=-0", "expected an integer from 1"},
      {"training.learning_rate=fast", "expected a number above 0 for 'learning_rate'"},
      {"training.learning_rate=.inf", "expected a number"},
      {"training.learning_rate=nan", "expected a number"},
      {"training.learning_rate=1e999", "expected a number"},
      {"training.learning_rate=0", "expected a number above 0"},
      {"training.deterministic=yes", "expected true or false"},
      {"training.optimizer=sgd", "expected adamw or lamb for 'optimizer' in 'training', found 'sgd'"},
      {"training.schedule=step", "expected linear, polynomial, cosine, constant or warmup_stable_decay"},
      {"training.precision=f16", "expected f32 or bf16 for 'precision' in 'training', found 'f16'"},
      {"training.time_budget=2",
       "expected a time such as 90s, 30m, 2h or 1d for 'time_budget' in 'training', found '2'"},
      {"training.time_budget=0h", "expected a time"},
      {"training.time_budget=[1h]", "found a list of 1"},
      {"training.betas=0.9", "expected two numbers from 0 to below 1"},
      {"training.betas=[0.9]", "found a list of 1"},
      {"training.betas=[0.9, 1]", "expected two numbers from 0 to below 1"},
      {"training=5", "expected keys under 'training', found '5'"},
      {"task=[mlm]", "expected mlm or mlm_nsp for 'task'"},
      {"task=question_answering", "expected mlm or mlm_nsp for 'task'"},
      {"model.preset=huge", "expected tiny, mini, small, medium, minilm, base or large for 'preset'"},
      {"model.hidden_act=relu", "expected gelu, gelu_new or gelu_pytorch_tanh"},
      {"model.hidden_dropout_prob=1", "expected a number from 0 to below 1"},
      {"data.text=[[a]]", "expected a list of texts"},
      {"data.text=[]", "expected a list of texts"},
      {"data.text={a: b}", "expected a list of texts"},
      {"data.text=['']", "expected a list of texts"},
      {"data.sequence_length=70000", "expected an integer from 3 to 65535"},
      {"masking.probability=1.1", "expected a number from 0 to 1"},
      {"output=[a]", "expected a text for 'output', found a list of 1"},
  };
  for (const auto& [assignment, part] : cases) {
    const std::string sentence = refused_override(assignment);
    EXPECT_TRUE(sentence.starts_with(std::string(assignment) + ": ")) << sentence;
    EXPECT_NE(sentence.find(part), std::string::npos) << sentence;
  }
  EXPECT_EQ(refusal("training:\n  learning_rate:\n").substr(0, 25), "pretrain.yaml:3:1: expect") << "a forgotten value";
}

TEST(Config, ChecksThatTakeSeveralKeys) {
  const std::pair<Overrides, const char*> cases[]{
      {{"data.sequence_length=513"},
       "data.sequence_length=513: sequence_length 513 is more than the model's max_position_embeddings 512"},
      {{"training.warmup_steps=1001"}, "training.warmup_steps=1001: warmup_steps 1001 is more than steps 1000"},
      {{"training.epochs=2"},
       "training.epochs=2: 'epochs' and 'steps' in 'training' exclude each other (the override training.steps=null "
       "leaves one out)"},
      {{"training.time_budget=2h"},
       "training.time_budget=2h: 'time_budget' and 'steps' in 'training' exclude each other (the override "
       "training.steps=null leaves one out)"},
      {{"training={epochs: 1, time_budget: 2h}"},
       "training={epochs: 1, time_budget: 2h}: 'time_budget' and 'epochs' in 'training' exclude each other (the "
       "override training.epochs=null leaves one out)"},
      {{"training={time_budget: 2h, deterministic: true}"},
       "training={time_budget: 2h, deterministic: true}: 'time_budget' and 'deterministic: true' in 'training' exclude "
       "each other (a clock never runs twice the same)"},
      {{"data.shards=dir"},
       "data.shards=dir: 'shards' and 'text' in 'data' exclude each other (the override data.text=null leaves one "
       "out)"},
      {{"training.micro_batch_size=65"},
       "training.micro_batch_size=65: micro_batch_size 65 is more than global_batch_size 64"},
      {{"masking={mask: 0.9}"}, "masking={mask: 0.9}: mask 0.9 + random 0.1 + keep 0.1 is 1.1 (expected 1)"},
      {{"model.num_attention_heads=3"},
       "pretrain.yaml:1:8: 'model': hidden_size 256 is not a multiple of num_attention_heads 3"},
      {{"model.hidden_size=999999999"}, "pretrain.yaml:1:8: 'model': hidden_size is 999999999 (expected 1 to 65536)"},
      {{"model.initialize_from=dir"},
       "model.initialize_from=dir: 'initialize_from' and 'preset' in 'model' exclude each other (the override "
       "model.preset=null leaves one out)"},
      {{"data.text=null", "data.shards=dir"},
       "pretrain.yaml: missing key 'vocab' in 'data' (shards alone leave nothing to learn a vocabulary from)"},
  };
  for (const auto& [overrides, sentence] : cases) EXPECT_EQ(refusal(kComplete, overrides), sentence);
}

TEST(Config, EveryRequiredKeyIsMissed) {
  EXPECT_EQ(refusal(kComplete, {"model=null"}),
            "pretrain.yaml: missing key 'model' (a preset, the published keys or initialize_from)");
  EXPECT_EQ(refusal(kComplete, {"model={}"}), refusal(kComplete, {"model=null"}));
  EXPECT_EQ(refusal(kComplete, {"data=null"}), "pretrain.yaml: missing key 'text' or 'shards' in 'data'");
  EXPECT_EQ(refusal(kComplete, {"training.steps="}),
            "pretrain.yaml: missing key 'steps', 'epochs' or 'time_budget' in 'training'");
  EXPECT_EQ(refusal(kComplete, {"output=null"}), "pretrain.yaml: missing key 'output' (the folder of the run)");
  EXPECT_EQ(refusal(""), refusal(kComplete, {"model=null"}));
}

TEST(Config, RepeatedKeysAreRefused) {
  EXPECT_EQ(refusal("training:\n  steps: 1\n  seed: 2\n  steps: 3\n"),
            "pretrain.yaml:4:3: repeated key 'steps' in 'training' (first at pretrain.yaml:2:3)");
  EXPECT_EQ(refusal(with_line("output: runs/b")),
            "pretrain.yaml:8:1: repeated key 'output' (first at pretrain.yaml:7:1)");
  EXPECT_EQ(refusal(with_line("output: runs/b"), {"output=runs/c"}), refusal(with_line("output: runs/b")));
}

TEST(Config, MalformedYamlNamesThePlace) {
  const std::pair<const char*, const char*> cases[]{
      {"model: [1, 2\n", "pretrain.yaml:"},
      {"model: a: b\n", "pretrain.yaml:1:9: "},
      {"a\n", "pretrain.yaml:1:1: expected keys and values"},
      {"- a\n", "pretrain.yaml:1:1: expected keys and values"},
      {"? [a]\n: b\n", "pretrain.yaml:1:3: a key must be a plain word"},
      {": b\n", "a key must be a plain word"},
      {"output: &x a\n", "pretrain.yaml:1:9: anchors and aliases are not supported"},
      {"model: &x {a: 1}\ndata: *x\n", "pretrain.yaml:1:8: anchors and aliases are not supported"},
      {"output: *.txt\n", "(quote a text that starts with '*')"},
      {"output: !!str a\n", "pretrain.yaml:1:9: tags are not supported"},
  };
  for (const auto& [yaml, part] : cases) EXPECT_NE(refusal(yaml).find(part), std::string::npos) << refusal(yaml);
  EXPECT_NE(refusal(with_line("---\noutput: b")).find("more than one YAML document"), std::string::npos);
  EXPECT_EQ(refusal("---\n" + std::string(kComplete) + "...\n"), "accepted");
}

TEST(Config, MalformedOverridesAreRefused) {
  for (const char* assignment : {"", "=", "training.steps", "=5"})
    EXPECT_EQ(refused_override(assignment), std::string(assignment) + ": expected key.path=value");
  EXPECT_TRUE(refused_override("data.text=[a").starts_with("data.text=[a: "));
  EXPECT_EQ(refused_override("output.folder=a"),
            "output.folder=a: there are no keys under the value at pretrain.yaml:7:9");
  EXPECT_EQ(refused_override("training..steps=1").find("training..steps=1: unknown key"), 0u);
  std::string deep = "a";
  for (int level = 0; level < 40000; ++level) deep += ".a";
  EXPECT_NE(refused_override(deep + "=1").find("expected key.path=value"), std::string::npos);
}

TEST(Config, HostileFilesAreRefusedQuickly) {
  const auto start = std::chrono::steady_clock::now();
  const auto repeated = [](std::string_view part) {
    std::string text;
    while (text.size() + part.size() <= 1 << 16) text += part;
    return text;
  };
  for (const char* part :
       {"[", "{a: ", "- ", "? ", "{}, ", "&a ", "!a ", "a: b\n", "\"", "|\n", "---\n", "%a\n", "\xff", "\t"})
    EXPECT_NE(refusal(repeated(part)), "accepted") << part;
  EXPECT_EQ(refusal(std::string((1 << 16) + 1, ' ')),
            "pretrain.yaml: larger than 65536 bytes; is this a configuration?");
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char level = 'b'; level <= 'z'; ++level)
    bomb += std::string{level} + ": &" + level + " [*" + char(level - 1) + ", *" + char(level - 1) + "]\n";
  EXPECT_NE(refusal(bomb).find("anchors and aliases"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(Config, NestingIsLimitedTo32Levels) {
  const auto nested = [](size_t levels) { return "a: " + std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_NE(refusal(nested(31)).find("unknown key 'a'"), std::string::npos);
  EXPECT_EQ(refusal(nested(32)), "pretrain.yaml:1:35: nested deeper than 32 levels");
}

TEST(Config, ErrorsShowNoControlCharacters) {
  EXPECT_EQ(refusal("task: \"\\e[31m\"\n"),
            "pretrain.yaml:1:7: expected mlm or mlm_nsp for 'task', found the text '?[31m'");
  EXPECT_NE(refusal("task: " + std::string(5000, 'x')).find("xxx...'"), std::string::npos);
}

TEST(Config, FilesThatCannotBeReadAreRefused) {
  const auto load = [](const std::string& path) -> std::string {
    try {
      load_pretrain_config(path, {});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(load("no/such.yaml"), "no/such.yaml: cannot be opened: No such file or directory");
  EXPECT_EQ(load("/"), "/: cannot be read: Is a directory");
  EXPECT_EQ(load("/dev/zero"), "/dev/zero: larger than 65536 bytes; is this a configuration?");
}

TEST(Config, EveryFileInConfigsLoadsAndRoundTrips) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(BERTHA_SOURCE_DIR) / "configs")) {
    SCOPED_TRACE(entry.path());
    if (!entry.path().filename().string().starts_with("pretrain-")) continue;
    const PretrainConfig c = load_pretrain_config(entry.path(), {});
    EXPECT_EQ(differences(c, parse(to_yaml(c))), std::vector<std::string>{});
    ++files;
  }
  EXPECT_GE(files, 3);
}

}  // namespace
}  // namespace bertha
