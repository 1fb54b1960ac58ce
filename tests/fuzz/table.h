#pragma once

#include "data/tasks/table.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {

inline void read_table(const std::string& path) {
  const Table table = Table::read(path);
  for (size_t column = 0; column < table.columns().size(); ++column)
    require(table.column(table.columns()[column]) == column, "a column is found by its name");
  for (size_t row = 0; row < table.rows(); ++row)
    for (size_t column = 0; column < table.columns().size(); ++column) read_or_refuse([&] { table.list(row, column); });
}

}  // namespace bertha
