#pragma once

#include <CLI/CLI.hpp>

namespace bertha {

// Each registers one command with its options and what to run.
void add_bench(CLI::App& app);
void add_check_premasked(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_finetune(CLI::App& app);
void add_inspect(CLI::App& app);
void add_predict(CLI::App& app);
void add_pretrain(CLI::App& app);
void add_report(CLI::App& app);
void add_shard(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_visualize(CLI::App& app);
void add_vocab(CLI::App& app);

// Those of `bertha visualize`.
void add_visualize_attention(CLI::App& visualize);
void add_visualize_embeddings(CLI::App& visualize);

}  // namespace bertha
