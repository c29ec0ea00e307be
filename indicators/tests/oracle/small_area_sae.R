# Area-level models as fitted by R's package sae 1.3 (I. Molina & Y. Marhuenda), to the full precision of its iterations.
#
#   Rscript small_area_sae.R small_area_datasets.json > small_area_sae.json
#
# Left out is what sae cannot fit: data whose variance between areas is 0, where its iterations do not settle.

library(sae)
library(jsonlite)
datasets <- fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyDataFrame = FALSE)
results <- list()
for (data in datasets) {
  for (method in c("REML", "ML", "FH")) {
    y <- data$y; psi <- data$psi; x <- as.matrix(data$x)
    fit <- suppressWarnings(mseFH(y ~ x - 1, psi, method = method, MAXITER = 10000, PRECISION = 1e-14))
    if (!isTRUE(fit$est$fit$convergence) || fit$est$fit$refvar == 0) next
    results <- c(results, list(list(
      dataset = data$name, method = method, version = as.character(packageVersion("sae")),
      sigma2 = fit$est$fit$refvar, beta = fit$est$fit$estcoef[, "beta"], beta_error = fit$est$fit$estcoef[, "std.error"],
      eblup = drop(fit$est$eblup), mse = fit$mse, loglike = fit$est$fit$goodness[["loglike"]],
      aic = fit$est$fit$goodness[["AIC"]], bic = fit$est$fit$goodness[["BIC"]])))
  }
}
cat(toJSON(results, digits = NA, auto_unbox = TRUE))
