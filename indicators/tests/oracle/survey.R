# Expected statistics of whole survey designs from the R package survey, an implementation independent of this crate.
#
#   Rscript survey.R folder
#
# Needs the packages survey and jsonlite. Writes one JSON file per data set into the folder:
#
# {"dataset": "...", "source": "...", "r": "4.2.2", "survey": "4.1.1", "seed": number or null,
#  "columns": {"name": [numbers, null where missing]},
#  "cases": [{"name": "...",
#    "design": {"weights": column,
#      "stages": [{"clusters": column or null, "strata": column or null, "kind": "with_replacement" | "population" |
#                  "brewer" | "overton" | "hartley_rao" | "exact", "column": column or null, "mean": column or null,
#                  "form": "ht" | "yg"}],
#      "labels": "unique" | "within_strata", "single_units": "fail" | "certainty" | "adjust" | "average" | "collapse",
#      "first_stage_only": boolean, "adjustment": absent or {"base_weights": column, "columns": [columns]}},
#    "statistics": [{"kind": "...", arguments by kind, "domain": {"column": ..., "code": number} or null,
#                    "expected": {field: number, vector or null}}]}]}
#
# A domain's rows are those whose column has that code; values may be missing outside it.
# Data sets come with the package (GPL-2 | GPL-3); their sources are named in its help pages and with each file.

suppressPackageStartupMessages({
  library(survey)
  library(jsonlite)
})
options(survey.lonely.psu = "fail", warn = -1)

folder <- commandArgs(trailingOnly = TRUE)[1]
seed <- 20261201

# The parts lie beside this script.
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
for (part in c("statistics", "schools", "elections", "health", "examples", "people")) {
  source(file.path(dirname(script), "survey", paste0(part, ".R")))
}
