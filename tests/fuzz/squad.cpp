#include "data/tasks/squad.h"

#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

void read(std::string_view bytes) {
  for (const Question& question : read_squad(file_of("squad.json", bytes)).questions) {
    require(question.impossible == question.answers.empty(), "a question has answers or none");
    for (const Answer& answer : question.answers)
      require(answer.start >= -1 && answer.start <= std::ssize(*question.context), "an answer lies in its context");
  }
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
