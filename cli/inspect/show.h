#pragma once

#include "cli/inspect/options.h"
#include "cli/inspect/subject.h"

namespace bertha {

// Each prints, on standard output, what there is to say of a subject of its kind: text, or with --json one object as
// docs/schemas describes it.

void show_model(const Subject& subject, const InspectOptions& options);
void show_shards(const Subject& subject, const InspectOptions& options);
void show_premasked(const Subject& subject, const InspectOptions& options);
void show_run(const Subject& subject, const InspectOptions& options);

/// What differs between two models, checkpoints or safetensors files.
void show_difference(const InspectOptions& options);

/// Whether every byte is what was written. Throws DamagedFileError, after printing, with all that is not.
void show_verdict(const InspectOptions& options);

}  // namespace bertha
