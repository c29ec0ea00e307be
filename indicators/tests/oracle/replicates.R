# Expected replicate-weight estimates from the R package survey.
#
#   Rscript replicates.R folder              writes one fixture per data set (fixtures.R says what they hold)
#   Rscript replicates.R input.json output.json
#
# A case of a fixture is {"name": ..., "method": "jackknife" | "balanced" | "counts" | "calibrated" | "post_stratified",
#  "settings": {...}, "scales": [...], "degrees_of_freedom": df, "statistics": [...],
#  "covariance": [c11, c12, c22] of the means of the first two variables, "slope": {"point": ..., "standard_error": ...}
#  of the weighted regression of the first variable on the second}
#
# Settings: "mse" (whether differences are from the full estimate), "fpc", "fay_rho", "counts" (how often each PSU was
# drawn, one list per replicate; PSUs in the order in which rows name them), "distance", "column", "totals".
#
# The input of the second form is {"columns": {...}, "variables": [...], "ratios": [[y, x], ...], "designs":
# [{"weights": [[...], ...], "scales": [...], "mse": true | false}]} with one list of weights per replicate, or
# "hadamard" (rows of 1 and -1), "fay_rho" for R's own half-samples by that matrix; the output has a case for each design.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "fixtures.R"))

slope_of <- function(design, variables) {
  result <- withReplicates(design, function(weights, data) {
    y <- data[[variables[1]]]
    x <- data[[variables[2]]]
    centred <- x - sum(weights * x) / sum(weights)
    sum(weights * centred * y) / sum(weights * centred * x)
  })
  list(point = as.numeric(coef(result)), standard_error = as.numeric(SE(result)))
}

results_of <- function(design, variables, ratios) {
  both <- vcov(svymean(as.formula(paste("~", variables[1], "+", variables[2])), design))
  list(
    scales = I(design$scale * design$rscales), degrees_of_freedom = degf(design),
    statistics = statistics_of(design, variables, ratios),
    covariance = c(both[1, 1], both[1, 2], both[2, 2]),
    slope = slope_of(design, variables)
  )
}

case <- function(name, method, settings, design, variables, ratios) {
  c(list(name = name, method = method, settings = settings), results_of(design, variables, ratios))
}

sylvester <- function(order) {
  matrix <- matrix(1)
  while (nrow(matrix) < order) matrix <- kronecker(matrix(c(1, 1, 1, -1), 2), matrix)
  matrix
}

jackknife <- function(design, type, variables, ratios) {
  has_fpc <- !is.null(design$fpc$popsize)
  lapply(c(FALSE, TRUE), function(mse) {
    replicated <- suppressWarnings(as.svrepdesign(design, type = type, mse = mse))
    name <- paste0(type, if (has_fpc) ", fpc", if (mse) ", mse")
    case(name, "jackknife", list(mse = mse, fpc = has_fpc), replicated, variables, ratios)
  })
}

balanced <- function(design, order, variables, ratios) {
  lapply(c(0, 0.3, 0.5), function(rho) {
    type <- if (rho == 0) "BRR" else "Fay"
    replicated <- as.svrepdesign(design, type = type, fay.rho = rho, hadamard.matrix = sylvester(order))
    case(paste(type, rho), "balanced", list(mse = FALSE, fay_rho = rho), replicated, variables, ratios)
  })
}

# R's own draws, handed over as counts: its multipliers are count * n / (n - 1).
bootstrap <- function(design, replicates, variables, ratios) {
  set.seed(20)
  replicated <- as.svrepdesign(design, type = "subbootstrap", replicates = replicates)
  psus <- !duplicated(design$cluster[, 1])
  sampled <- ave(rep(1, sum(psus)), design$strata[psus, 1], FUN = sum)
  counts <- round(replicated$repweights$weights * (sampled - 1) / sampled)
  settings <- list(mse = FALSE, counts = lapply(seq_len(replicates), function(replicate) counts[, replicate]))
  list(case("bootstrap", "counts", settings, replicated, variables, ratios))
}

calibrated <- function(replicated, formula, totals, distance, terms, variables, ratios, bounds = c(-Inf, Inf)) {
  names(totals) <- colnames(model.matrix(formula, replicated$variables))
  after <- calibrate(replicated, formula, totals, calfun = distance, bounds = bounds, epsilon = 1e-12, maxit = 1000)
  finite <- function(bound) if (is.finite(bound)) bound else NULL
  settings <- list(
    mse = FALSE, fpc = TRUE, distance = distance, terms = I(terms), totals = as.numeric(totals),
    lower = finite(bounds[1]), upper = finite(bounds[2])
  )
  case(paste(distance, "calibration of", paste(terms, collapse = ", ")), "calibrated", settings, after, variables, ratios)
}

post_stratified <- function(replicated, column, totals, variables, ratios) {
  population <- data.frame(code = seq_along(totals) - 1L, Freq = totals)
  names(population)[1] <- column
  after <- postStratify(replicated, as.formula(paste0("~", column)), population)
  settings <- list(mse = FALSE, fpc = TRUE, column = column, totals = as.numeric(totals))
  case(paste("post-strata of", column), "post_stratified", settings, after, variables, ratios)
}

write_all <- function(folder) {
  write <- function(name, source, columns, cases) write_fixture(folder, paste0("replicates_", name), source, columns, cases)
  data(api)
  api_columns <- function(data, clusters, strata, population) {
    data.frame(
      weight = data$pw, cluster = clusters, stratum = strata, population = population, type = codes(data$stype),
      api00 = data$api00, api99 = data$api99, meals = data$meals, ell = data$ell
    )
  }
  variables <- c("api00", "meals", "ell")
  ratios <- list(c("api00", "api99"), c("ell", "meals"))

  columns <- api_columns(apistrat, seq_len(nrow(apistrat)), codes(apistrat$stype), apistrat$fpc)
  design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, fpc = ~population, data = columns)
  plain <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = columns)
  write("apistrat", api_source, columns, c(
    jackknife(design, "JKn", variables, ratios), jackknife(plain, "JKn", variables, ratios),
    bootstrap(plain, 60, variables, ratios)
  ))

  columns <- api_columns(apiclus1, codes(apiclus1$dnum), 0L, apiclus1$fpc)
  design <- svydesign(ids = ~cluster, weights = ~weight, fpc = ~population, data = columns)
  plain <- svydesign(ids = ~cluster, weights = ~weight, data = columns)
  replicated <- as.svrepdesign(design, type = "JK1")
  types <- as.numeric(table(apipop$stype))
  with_constant <- c(nrow(apipop), types[-1], sum(apipop$api99))
  write("apiclus1", api_source, columns, c(
    jackknife(design, "JK1", variables, ratios), jackknife(plain, "JK1", variables, ratios),
    bootstrap(plain, 200, variables, ratios),
    list(
      post_stratified(replicated, "type", types, variables, ratios),
      calibrated(replicated, ~ factor(type) + api99, with_constant, "linear", c("type", "api99"), variables, ratios),
      calibrated(replicated, ~ factor(type) + api99, with_constant, "raking", c("type", "api99"), variables, ratios),
      calibrated(replicated, ~ factor(type), with_constant[1:3], "logit", "type", variables, ratios, c(0.3, 3))
    )
  ))

  columns <- api_columns(apiclus2, codes(apiclus2$dnum), 0L, 757)
  plain <- svydesign(ids = ~cluster, weights = ~weight, data = columns)
  write("apiclus2", api_source, columns, c(
    jackknife(plain, "JK1", variables, ratios), bootstrap(plain, 150, variables, ratios)
  ))

  # Pairs of consecutive schools as strata: 14 pairs follow rows 2 to 15 of a Hadamard matrix of order 16.
  first <- apisrs[1:28, ]
  columns <- api_columns(first, seq_len(28), rep(0:13, each = 2), first$fpc)
  # R orders strata as text; here they must come in the order of their numbers.
  plain <- svydesign(ids = ~cluster, strata = ~ sprintf("%02d", stratum), weights = ~weight, data = columns)
  write("apisrs_pairs", api_source, columns, c(
    balanced(plain, 16, variables, ratios), jackknife(plain, "JKn", variables, ratios)
  ))

  data(scd)
  columns <- data.frame(
    weight = 1, cluster = 0:5, stratum = codes(scd$ESA), arrests = scd$arrests, alive = scd$alive
  )
  design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = columns)
  pair <- list(c("alive", "arrests"))
  write("scd", "R package survey, data set scd: Levy and Lemeshow, Sampling of Populations, 3rd edition, chapter 11", columns,
    c(balanced(design, 4, c("arrests", "alive"), pair), jackknife(design, "JKn", c("arrests", "alive"), pair)))

  data(crowd)
  columns <- data.frame(
    weight = crowd$weight, cluster = codes(crowd$cluster), stratum = codes(crowd$stratum), rooms = crowd$rooms,
    person = crowd$person
  )
  design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = columns)
  pair <- list(c("person", "rooms"))
  write("crowd", "R package survey, data set crowd: household crowding, VPLX manual, US Census Bureau", columns,
    c(balanced(design, 4, c("rooms", "person"), pair), jackknife(design, "JKn", c("rooms", "person"), pair)))

  # One household of the second stratum left out: a stratum with one PSU.
  columns <- columns[-3, ]
  design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = columns)
  lonely <- unlist(lapply(c("adjust", "certainty"), function(policy) {
    options(survey.lonely.psu = policy)
    on.exit(options(survey.lonely.psu = "fail"))
    lapply(jackknife(design, "JKn", c("rooms", "person"), pair), function(case) {
      case$name <- paste(case$name, policy, sep = ", ")
      case$settings$lonely <- policy
      case
    })
  }), recursive = FALSE)
  write("crowd_lonely", "R package survey, data set crowd: household crowding, VPLX manual, US Census Bureau", columns, lonely)

  data(mu284)
  columns <- data.frame(
    weight = mu284$n1 / 5 * mu284$n2 / 3, cluster = codes(mu284$id1), stratum = 0L, population = mu284$n1,
    y = mu284$y1, units = mu284$n2
  )
  design <- svydesign(ids = ~cluster, weights = ~weight, fpc = ~population, data = columns)
  write("mu284", "R package survey, data set mu284: Swedish municipalities, Särndal, Swensson and Wretman 1992", columns,
    jackknife(design, "JK1", c("y", "units"), list(c("y", "units"))))

  data(fpc)
  columns <- data.frame(
    weight = fpc$weight, cluster = 0:7, stratum = codes(fpc$stratid), population = fpc$Nh, x = fpc$x,
    square = fpc$x^2
  )
  design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, fpc = ~population, data = columns)
  write("fpc", "R package survey, data set fpc: VPLX manual, US Census Bureau", columns,
    jackknife(design, "JKn", c("x", "square"), list(c("square", "x"))))

  data(nhanes)
  columns <- data.frame(
    weight = nhanes$WTMEC2YR, cluster = codes(paste(nhanes$SDMVSTRA, nhanes$SDMVPSU)), stratum = codes(nhanes$SDMVSTRA),
    high = ifelse(is.na(nhanes$HI_CHOL), 0, nhanes$HI_CHOL), known = as.integer(!is.na(nhanes$HI_CHOL))
  )
  design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = columns)
  write("nhanes", paste(
    "R package survey, data set nhanes: cholesterol from the US National Health and Nutrition Examination Survey 2009-2010,",
    "National Center for Health Statistics"
  ), columns, c(
    jackknife(design, "JKn", c("high", "known"), list(c("high", "known"))),
    bootstrap(design, 40, c("high", "known"), list(c("high", "known")))
  ))
}

answer <- function(input_path, output_path) {
  input <- fromJSON(input_path, simplifyVector = FALSE)
  columns <- as.data.frame(lapply(input$columns, unlist))
  variables <- unlist(input$variables)
  ratios <- lapply(input$ratios, unlist)
  cases <- lapply(input$designs, function(given) {
    if (!is.null(given$hadamard)) {
      design <- svydesign(ids = ~cluster, strata = ~ sprintf("%09d", stratum), weights = ~weight, data = columns)
      matrix <- do.call(rbind, lapply(given$hadamard, unlist))
      type <- if (given$fay_rho == 0) "BRR" else "Fay"
      replicated <- as.svrepdesign(design, type = type, fay.rho = given$fay_rho, hadamard.matrix = matrix)
    } else {
      weights <- do.call(cbind, lapply(given$weights, unlist))
      replicated <- suppressWarnings(svrepdesign(data = columns, repweights = weights, weights = ~weight, type = "other",
        combined.weights = TRUE, scale = 1, rscales = unlist(given$scales), mse = given$mse))
    }
    results_of(replicated, variables, ratios)
  })
  write_json(list(r = as.character(getRversion()), survey = as.character(packageVersion("survey")), cases = cases),
    output_path, auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
}

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) == 1) {
  write_all(arguments[1])
} else if (length(arguments) == 2) {
  answer(arguments[1], arguments[2])
} else {
  stop("usage: Rscript replicates.R folder, or input.json output.json", call. = FALSE)
}
