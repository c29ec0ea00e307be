# Ratios and standard errors by the R package survey, and how long they take.
#
#   Rscript estimates.R FOLDER ROWS PART...
#
# FOLDER has the columns commune, hamlet, household, weights, hamlets, households, district, counted0, asked0, counted1, ...
# as files of 64-bit floating-point numbers, lowest byte first. A part is "province:N", "district:N" or "commune:N": the
# first N indicators of everything, or of each district or commune.
#
# Prints "seconds NAME T" (NAME is "design" or the part; T is the smaller of elapsed and processor time) and
# "estimate PART INDICATOR DOMAIN RATIO STANDARD_ERROR".

suppressPackageStartupMessages(library(survey))
options(survey.lonely.psu = "adjust")

arguments <- commandArgs(trailingOnly = TRUE)
rows <- as.integer(arguments[2])
parts <- strsplit(arguments[-(1:2)], ":")
column <- function(name) readBin(file.path(arguments[1], name), "double", rows, endian = "little")
codes <- c("commune", "hamlet", "household", "district")
largest <- max(sapply(parts, function(part) as.integer(part[2])))
names <- c("weights", "hamlets", "households", paste0(rep(c("counted", "asked"), largest), rep(seq_len(largest) - 1, each = 2)))
persons <- as.data.frame(c(
  lapply(setNames(codes, codes), function(name) as.integer(column(name))), lapply(setNames(names, names), column)
))

seconds <- function(name, expression) {
  time <- system.time(expression)
  cat(sprintf("seconds %s %.17g\n", name, min(time[["elapsed"]], time[["user.self"]] + time[["sys.self"]])))
}

seconds("design", design <- svydesign(
  ids = ~ hamlet + household, strata = ~commune, fpc = ~ hamlets + households, weights = ~weights, data = persons
))
for (part in parts) {
  numbers <- seq_len(as.integer(part[2])) - 1
  label <- paste(part, collapse = ":")
  formulas <- lapply(numbers, function(number) {
    list(counted = as.formula(paste0("~counted", number)), asked = as.formula(paste0("~asked", number)))
  })
  seconds(label, results <- lapply(formulas, function(of) {
    if (part[1] == "province") {
      svyratio(of$counted, of$asked, design)
    } else {
      svyby(of$counted, as.formula(paste0("~", part[1])), design, svyratio, denominator = of$asked)
    }
  }))
  for (number in numbers) {
    result <- results[[number + 1]]
    points <- as.numeric(coef(result))
    errors <- as.numeric(unlist(SE(result)))
    domains <- if (part[1] == "province") 0 else result[[part[1]]]
    cat(sprintf("estimate %s %d %d %.17g %.17g\n", label, number, as.integer(domains), points, errors), sep = "")
  }
}
