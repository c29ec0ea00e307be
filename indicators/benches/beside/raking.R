# Raking to margins and a bootstrap by the R package survey, and how long they take.
#
#   Rscript raking.R FOLDER ROWS MARGINS REPLICATES
#
# FOLDER has columns as estimates.R beside it reads them: commune, hamlet, weights, counted, asked, and for each margin its
# categories margin0, margin1, ... and totals total0, total1, ... (one number for each category).
#
# Prints "seconds raking T", "seconds bootstrap T" (T is the smaller of elapsed and processor time) and
# "estimate RATIO STANDARD_ERROR". The bootstrap takes the raked weights as given.

suppressPackageStartupMessages(library(survey))

arguments <- commandArgs(trailingOnly = TRUE)
rows <- as.integer(arguments[2])
margins <- seq_len(as.integer(arguments[3])) - 1
replicates <- as.integer(arguments[4])
column <- function(name, count = rows) readBin(file.path(arguments[1], name), "double", count, endian = "little")
names <- c("commune", "hamlet", "weights", "counted", "asked", paste0("margin", margins))
persons <- as.data.frame(lapply(setNames(names, names), column))
populations <- lapply(margins, function(margin) {
  name <- paste0("margin", margin)
  categories <- sort(unique(persons[[name]]))
  population <- data.frame(categories, column(paste0("total", margin), length(categories)))
  setNames(population, c(name, "Freq"))
})
formulas <- lapply(margins, function(margin) as.formula(paste0("~margin", margin)))

seconds <- function(name, expression) {
  time <- system.time(expression)
  cat(sprintf("seconds %s %.17g\n", name, min(time[["elapsed"]], time[["user.self"]] + time[["sys.self"]])))
}

design <- svydesign(ids = ~hamlet, strata = ~commune, weights = ~weights, data = persons)
seconds("raking", raked <- rake(design, formulas, populations, control = list(maxit = 100, epsilon = 1e-6)))
persons$raked <- weights(raked)
seconds("bootstrap", {
  design <- svydesign(ids = ~hamlet, strata = ~commune, weights = ~raked, data = persons)
  bootstrap <- as.svrepdesign(design, type = "subbootstrap", replicates = replicates)
  estimate <- svyratio(~counted, ~asked, bootstrap)
})
cat(sprintf("estimate %.17g %.17g\n", as.numeric(coef(estimate)), as.numeric(SE(estimate))))
