# Expected estimates from the R package survey, an implementation independent of this crate.
#
#   Rscript estimates.R input.json output.json
#
# Needs the packages survey and jsonlite. The input is an object with either or both of:
#
# "quantiles": {"student_t": {"p": [...], "df": [...]}, "beta": {"p": [...], "a": [...], "b": [...]}}
#
# "designs": [{
#   "name": "...", "level": 0.95, "lonely_psu": "adjust" | "certainty" | "fail",
#   "households": columns with one entry per responding household:
#     {"stratum": [...], "hamlet": [...],       ids; a hamlet id is unique over all strata
#      "stratum_hamlets": [...],                N_h, hamlets of its stratum in the frame
#      "hamlet_households": [...]},             M_hi, households of its hamlet in the frame
#   "indicators": [{"name": "...", "numerator": [...], "denominator": [...]}],   one value per responding household
#   "domains": [{"name": "...", "hamlets": [ids], "population_hamlets": number or null}]
# }]
#
# A domain whose number of responding hamlets equals "population_hamlets" is estimated given that all its hamlets were
# taken (hamlets as strata); any other by subsetting the two-stage design. The output repeats names and order:
#
# {"quantiles": {"student_t": [...], "beta": [...]},
#  "designs": [{"name": "...", "estimates": [{"domain": "...", "indicator": "...", "households": n, "point": R,
#    "standard_error": SE, "degrees_of_freedom": df, "design_effect": deff,
#    "logit_lower": ..., "logit_upper": ...,          interval on the logit scale, by svycontrast and qt
#    "svyciprop_lower": ..., "svyciprop_upper": ...,  the same by svyciprop, for values 0 and 1 only
#    "linear_lower": ..., "linear_upper": ...,        R -/+ t SE
#    "exact_lower": ..., "exact_upper": ...,          Clopper-Pearson with the effective number of households
#    "numerator_total": ..., "denominator_total": ...}]}]}
#
# Numbers have 17 significant digits; null stands for what survey cannot compute. Where it refuses the design (it does
# for a single hamlet or household) everything is null, and where a domain has no responses the counts are 0.

suppressPackageStartupMessages({
  library(survey)
  library(jsonlite)
})

# The value of an expression, or NA where survey gives an error.
or_na <- function(expression) tryCatch(suppressWarnings(expression), error = function(condition) NA_real_)

is_between <- function(value, low, high) is.finite(value) && value > low && value < high

# The design under which a domain is estimated, subset to the domain.
domain_design <- function(design, households, domain) {
  inside <- households$hamlet %in% unlist(domain$hamlets)
  taken <- length(unique(households$hamlet[inside]))
  if (taken == 0) {
    return(NULL)
  }
  if (!is.null(domain$population_hamlets) && taken == domain$population_hamlets) {
    return(or_na(svydesign(ids = ~1, strata = ~hamlet, fpc = ~hamlet_households, data = households[inside, ])))
  }
  if (!inherits(design, "survey.design")) {
    return(NA)
  }
  design$variables <- households
  suppressWarnings(subset(design, inside))
}

# Clopper-Pearson (Korn and Graubard 1998) with Kish's effective number of households that have a denominator.
exact_interval <- function(point, weights, denominator, df, level) {
  counted <- weights[denominator > 0]
  if (length(counted) < 2 || df < 1) {
    return(c(NA_real_, NA_real_))
  }
  upper_probability <- 1 - (1 - level) / 2
  shrink <- min(1, (qt(upper_probability, length(counted) - 1) / qt(upper_probability, df))^2)
  size <- sum(counted)^2 / sum(counted^2) * shrink
  c(
    if (point == 0) 0 else qbeta(1 - upper_probability, size * point, size * (1 - point) + 1),
    if (point == 1) 1 else qbeta(upper_probability, size * point + 1, size * (1 - point))
  )
}

estimate <- function(design, level, numerator, denominator) {
  missing <- list(
    households = 0, point = NA_real_, standard_error = NA_real_, degrees_of_freedom = NA_real_,
    design_effect = NA_real_, logit_lower = NA_real_, logit_upper = NA_real_, svyciprop_lower = NA_real_,
    svyciprop_upper = NA_real_, linear_lower = NA_real_, linear_upper = NA_real_, exact_lower = NA_real_,
    exact_upper = NA_real_, numerator_total = 0,
    denominator_total = 0
  )
  if (is.null(design)) {
    return(missing)
  }
  if (!inherits(design, "survey.design")) {
    missing[c("households", "numerator_total", "denominator_total")] <- NA_real_
    return(missing)
  }
  design$variables$y <- numerator
  design$variables$x <- denominator
  weights <- weights(design)
  result <- missing
  result$households <- length(weights)
  result$numerator_total <- sum(weights * numerator)
  result$denominator_total <- sum(weights * denominator)
  result$degrees_of_freedom <- degf(design)
  if (result$denominator_total <= 0) {
    return(result)
  }
  result$point <- result$numerator_total / result$denominator_total
  ratio <- or_na(svyratio(~y, ~x, design, deff = TRUE))
  if (!inherits(ratio, "svyratio")) {
    return(result)
  }
  result$point <- as.numeric(coef(ratio))
  result$standard_error <- as.numeric(SE(ratio))
  result$design_effect <- as.numeric(attr(ratio, "deff"))
  df <- result$degrees_of_freedom
  exact <- or_na(exact_interval(result$point, weights, denominator, df, level))
  result$exact_lower <- exact[1]
  result$exact_upper <- exact[length(exact)]
  if (df >= 1) {
    ends <- as.numeric(confint(ratio, level = level, df = df))
    result$linear_lower <- ends[1]
    result$linear_upper <- ends[2]
  }
  if (!is_between(result$point, 0, 1) || df < 1) {
    return(result)
  }
  statistic <- result$point
  attr(statistic, "var") <- matrix(result$standard_error^2)
  names(statistic) <- "ratio"
  class(statistic) <- "svystat"
  logit <- svycontrast(statistic, quote(log(ratio / (1 - ratio))))
  ends <- plogis(as.numeric(coef(logit)) + c(-1, 1) * qt(1 - (1 - level) / 2, df) * as.numeric(SE(logit)))
  result$logit_lower <- ends[1]
  result$logit_upper <- ends[2]
  if (all(c(numerator, denominator) %in% c(0, 1)) && all(numerator <= denominator)) {
    counted <- subset(design, x == 1)
    ends <- or_na(as.numeric(attr(svyciprop(~y, counted, method = "logit", level = level, df = df), "ci")))
    result$svyciprop_lower <- ends[1]
    result$svyciprop_upper <- ends[length(ends)]
  }
  result
}

design_estimates <- function(input) {
  options(survey.lonely.psu = input$lonely_psu)
  households <- as.data.frame(lapply(input$households, unlist))
  households$household <- seq_len(nrow(households))
  design <- or_na(svydesign(
    ids = ~ hamlet + household, strata = ~stratum, fpc = ~ stratum_hamlets + hamlet_households, data = households
  ))
  estimates <- list()
  for (domain in input$domains) {
    within <- domain_design(design, households, domain)
    rows <- households$hamlet %in% unlist(domain$hamlets)
    for (indicator in input$indicators) {
      values <- estimate(within, input$level, unlist(indicator$numerator)[rows], unlist(indicator$denominator)[rows])
      estimates[[length(estimates) + 1]] <- c(list(domain = domain$name, indicator = indicator$name), values)
    }
  }
  list(name = input$name, estimates = estimates)
}

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 2) {
  stop("usage: Rscript estimates.R input.json output.json", call. = FALSE)
}
input <- fromJSON(arguments[1], simplifyVector = FALSE)
output <- list()
if (!is.null(input$quantiles)) {
  t <- lapply(input$quantiles$student_t, unlist)
  beta <- lapply(input$quantiles$beta, unlist)
  output$quantiles <- list(student_t = I(qt(t$p, t$df)), beta = I(qbeta(beta$p, beta$a, beta$b)))
}
output$designs <- lapply(input$designs, design_estimates)
write_json(output, arguments[2], auto_unbox = TRUE, digits = I(17), na = "null", null = "list")
