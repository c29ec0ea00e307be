# The estimates of a whole province by the R package survey, and how long they take.
#
#   Rscript province.R households.csv INDICATORS REPETITIONS
#
# Columns of the table, one row per responding household: stratum, hamlet, stratum_hamlets (hamlets of the stratum in the
# frame), hamlet_households (households of the hamlet in the frame), and y0, x0, y1, x1 … per indicator.
#
# Prints "seconds T" for each repetition and then "estimate RATIO STANDARD_ERROR" for each indicator.

suppressPackageStartupMessages(library(survey))

arguments <- commandArgs(trailingOnly = TRUE)
households <- read.csv(arguments[1])
households$household <- seq_len(nrow(households))
numbers <- seq_len(as.integer(arguments[2])) - 1

estimate_all <- function() {
  design <- svydesign(
    ids = ~ hamlet + household, strata = ~stratum, fpc = ~ stratum_hamlets + hamlet_households, data = households
  )
  lapply(numbers, function(number) {
    svyratio(as.formula(paste0("~y", number)), as.formula(paste0("~x", number)), design)
  })
}

for (repetition in seq_len(as.integer(arguments[3]))) {
  seconds <- system.time(estimates <- estimate_all())[["elapsed"]]
  cat(sprintf("seconds %.17g\n", seconds))
}
for (estimate in estimates) {
  cat(sprintf("estimate %.17g %.17g\n", as.numeric(coef(estimate)), as.numeric(SE(estimate))))
}
