# Estimates from several imputations, combined by the R package mitools over estimates of the R package survey.
#
#   Rscript missing.R input.json output.json
#
# The input is {"columns": {"weight": [...], "cluster": [...], "stratum": [...], "known": [...]}, "imputations":
# [[...], ...], "complete_degrees_of_freedom": number}: one filled column per imputation; "known" is 1 where it was not
# filled. The output has, for the total, the mean and the mean among the odd rows (a domain):
# {"name": ..., "point": ..., "variance": ..., "degrees_of_freedom": ..., "missing_information": ...,
#  "barnard_rubin": degrees of freedom by the formula of the paper}, and "missing": {"share": ..., "weighted_share": ...}.
#
# mitools takes B in place of (1 + 1/m) B where the degrees of freedom of complete data enter, so those are computed here.

suppressPackageStartupMessages({
  library(survey)
  library(mitools)
  library(jsonlite)
})

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 2) stop("usage: Rscript missing.R input.json output.json", call. = FALSE)
input <- fromJSON(arguments[1], simplifyVector = FALSE)
columns <- as.data.frame(lapply(input$columns, unlist))
complete <- input$complete_degrees_of_freedom

combined <- function(name, estimate) {
  results <- lapply(input$imputations, function(values) {
    columns$filled <- unlist(values)
    columns$odd <- seq_len(nrow(columns)) %% 2 == 1
    estimate(svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = columns))
  })
  points <- lapply(results, coef)
  variances <- lapply(results, vcov)
  all <- MIcombine(points, variances)
  count <- length(points)
  between <- var(unlist(points))
  share <- (1 + 1 / count) * between / (mean(unlist(variances)) + (1 + 1 / count) * between)
  gaps <- (count - 1) / share^2
  observed <- (complete + 1) / (complete + 3) * complete * (1 - share)
  list(
    name = name, point = as.numeric(coef(all)), variance = as.numeric(vcov(all)), degrees_of_freedom = as.numeric(all$df),
    missing_information = as.numeric(all$missinfo), barnard_rubin = 1 / (1 / gaps + 1 / observed)
  )
}

output <- list(
  r = as.character(getRversion()), survey = as.character(packageVersion("survey")),
  mitools = as.character(packageVersion("mitools")),
  missing = list(
    share = mean(columns$known == 0), weighted_share = sum(columns$weight[columns$known == 0]) / sum(columns$weight)
  ),
  estimates = list(
    combined("total", function(design) svytotal(~filled, design)),
    combined("mean", function(design) svymean(~filled, design)),
    combined("mean of a domain", function(design) svymean(~filled, subset(design, odd)))
  )
)
write_json(output, arguments[2], auto_unbox = TRUE, digits = I(17))
