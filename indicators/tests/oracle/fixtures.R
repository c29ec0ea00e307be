# What the scripts beside this one share: expected statistics from the R package survey, and how fixtures are written.
#
# A fixture is one JSON file per data set:
#
# {"data": "...", "source": "...", "r": "4.2.2", "survey": "4.1.1",
#  "columns": {"weight": [...], ...},           one entry per row; categories are codes from 0
#  "cases": [{"name": "...", ...}]}             what a case holds is said in the script that makes it
#
# "statistics" of a case: [{"kind": "total" | "mean" | "ratio", "numerator": column, "denominator": column or null,
#   "point": ..., "standard_error": ...}]. Numbers have 17 significant digits.

suppressPackageStartupMessages({
  library(survey)
  library(jsonlite)
})

# Codes from 0 in the order of the labels as text.
codes <- function(values) as.integer(factor(as.character(values))) - 1L

statistic <- function(kind, numerator, denominator, point, standard_error) {
  list(
    kind = kind, numerator = numerator, denominator = denominator,
    point = as.numeric(point), standard_error = as.numeric(standard_error)
  )
}

# Totals and means of all variables, ratios of pairs of them.
statistics_of <- function(design, variables, ratios = list()) {
  result <- list()
  for (variable in variables) {
    formula <- as.formula(paste0("~", variable))
    total <- svytotal(formula, design)
    mean <- svymean(formula, design)
    result <- c(result, list(
      statistic("total", variable, NULL, coef(total), SE(total)),
      statistic("mean", variable, NULL, coef(mean), SE(mean))
    ))
  }
  for (pair in ratios) {
    ratio <- svyratio(as.formula(paste0("~", pair[1])), as.formula(paste0("~", pair[2])), design)
    result <- c(result, list(statistic("ratio", pair[1], pair[2], coef(ratio), SE(ratio))))
  }
  result
}

# Extremes and Kish's measures of a column of weights.
summary_of <- function(weights) {
  list(
    total = sum(weights), smallest = min(weights), largest = max(weights),
    design_effect = length(weights) * sum(weights^2) / sum(weights)^2,
    effective_rows = sum(weights)^2 / sum(weights^2)
  )
}

write_fixture <- function(folder, name, source, columns, cases) {
  fixture <- list(
    data = name, source = source, r = as.character(getRversion()), survey = as.character(packageVersion("survey")),
    columns = columns, cases = cases
  )
  write_json(fixture, file.path(folder, paste0(name, ".json")),
    auto_unbox = TRUE, digits = I(17), na = "null", null = "null", dataframe = "columns")
}

api_source <- paste(
  "R package survey, data set api: Academic Performance Index of Californian schools in 1999 and 2000,",
  "California Department of Education"
)
