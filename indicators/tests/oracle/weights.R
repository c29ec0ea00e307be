# Expected weights after post-stratification, raking, calibration, trimming and nonresponse adjustment, and the standard
# errors that follow, from the R package survey.
#
#   Rscript weights.R folder
#
# writes one fixture per data set into the folder (fixtures.R says what they hold). A case is
# {"name": ..., "method": "post_stratify" | "rake" | "calibrate" | "trim" | "nonresponse", "settings": {...},
#  "weights": [...] or null, "summary": {...}, "statistics": [...]}
#
# Settings: "margins": [{"column": ..., "totals": [...]}] for the first two; "distance", "lower", "upper", "variances"
# (a column or null), "auxiliaries": [{"kind": "constant" | "values" | "categories", "column": ...}], "totals" for
# calibration, where categories leave out the first; "lower", "upper", "strict" for trimming; "dispositions" and "classes"
# (columns) for nonresponse. Calibration is iterated until a total is met to 1e-12.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "fixtures.R"))

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 1) stop("usage: Rscript weights.R folder", call. = FALSE)
folder <- arguments[1]

TOLERANCE <- 1e-12

case <- function(name, method, settings, design, variables, ratios = list(), keep_weights = TRUE, statistics = TRUE) {
  list(
    name = name, method = method, settings = settings,
    weights = if (keep_weights) as.numeric(weights(design)) else NULL,
    summary = summary_of(weights(design)),
    statistics = if (statistics) statistics_of(design, variables, ratios) else list()
  )
}

margin <- function(column, totals) list(column = column, totals = as.numeric(totals))

population_of <- function(column, totals) {
  table <- data.frame(code = seq_along(totals) - 1L, Freq = totals)
  names(table)[1] <- column
  table
}

post_stratified <- function(design, column, totals, ...) {
  after <- postStratify(design, as.formula(paste0("~", column)), population_of(column, totals))
  case(paste("post-strata of", column), "post_stratify", list(margins = list(margin(column, totals))), after, ...)
}

raked <- function(design, margins, ...) {
  formulas <- lapply(names(margins), function(column) as.formula(paste0("~", column)))
  populations <- mapply(population_of, names(margins), margins, SIMPLIFY = FALSE)
  after <- rake(design, formulas, unname(populations), control = list(maxit = 2000, epsilon = TOLERANCE / 100))
  settings <- list(margins = unname(mapply(margin, names(margins), margins, SIMPLIFY = FALSE)))
  case(paste("raking over", paste(names(margins), collapse = ", ")), "rake", settings, after, ...)
}

# Auxiliaries by name: "" is the constant, names in `categories` are categories.
calibrated <- function(design, terms, categories, totals, distance, bounds = c(-Inf, Inf), variances = NULL, ...) {
  parts <- ifelse(terms %in% categories, paste0("factor(", terms, ")"), terms)
  formula <- as.formula(paste("~", paste(parts, collapse = " + ")))
  names(totals) <- colnames(model.matrix(formula, design$variables))
  options <- list(design, formula, population = totals, calfun = distance, bounds = bounds, epsilon = TOLERANCE, maxit = 1000)
  if (!is.null(variances)) options$variance <- design$variables[[variances]]
  after <- do.call(calibrate, options)
  finite <- function(bound) if (is.finite(bound)) bound else NULL
  settings <- list(
    distance = distance, lower = finite(bounds[1]), upper = finite(bounds[2]), variances = variances,
    auxiliaries = c(list(list(kind = "constant", column = NULL)), lapply(terms, function(term) {
      list(kind = if (term %in% categories) "categories" else "values", column = term)
    })),
    totals = as.numeric(totals)
  )
  bounded <- if (any(is.finite(bounds))) paste0(" within ", bounds[1], " and ", bounds[2]) else ""
  varying <- if (is.null(variances)) "" else paste(", variances", variances)
  name <- paste0(distance, " calibration on ", paste(terms, collapse = ", "), bounded, varying)
  case(name, "calibrate", settings, after, ...)
}

trimmed <- function(design, lower, upper, strict, ...) {
  after <- trimWeights(design, lower = lower, upper = upper, strict = strict)
  settings <- list(lower = lower, upper = upper, strict = strict)
  name <- paste0(if (strict) "strict " else "", "trimming to ", lower, " and ", upper)
  case(name, "trim", settings, after, ...)
}

# Weighting classes by tapply alone: unknown eligibility first, then nonresponse.
nonresponse <- function(design, dispositions, classes) {
  old <- weights(design)
  kind <- design$variables[[dispositions]]
  class <- design$variables[[classes]]
  within <- function(rows) ave(ifelse(rows, old, 0), class, FUN = sum)
  known <- within(kind != 3)
  factor <- ifelse(kind == 3, 0, (known + within(kind == 3)) / known)
  factor <- factor * ifelse(kind == 0, (within(kind == 0) + within(kind == 1)) / within(kind == 0), ifelse(kind == 2, 1, 0))
  new <- old * factor
  list(
    name = paste("nonresponse in classes of", classes), method = "nonresponse",
    settings = list(dispositions = dispositions, classes = classes),
    weights = new, summary = summary_of(new[new > 0]), statistics = list()
  )
}

data(api)
apipop$wide <- codes(apipop$sch.wide)
apipop$type <- codes(apipop$stype)
counts <- function(column) as.numeric(table(apipop[[column]]))
api_totals <- function(terms, categories) {
  parts <- ifelse(terms %in% categories, paste0("factor(", terms, ")"), terms)
  colSums(model.matrix(as.formula(paste("~", paste(parts, collapse = " + "))), apipop))
}

api_columns <- function(data, clusters, strata, population) {
  data.frame(
    weight = data$pw, cluster = clusters, stratum = strata, population = population,
    type = codes(data$stype), wide = codes(data$sch.wide), award = codes(data$awards),
    api00 = data$api00, api99 = data$api99, meals = data$meals, ell = data$ell, target_stays = data$api99 / 100,
    # Who responded is made up: 0 respondent, 1 nonrespondent, 2 ineligible, 3 unknown.
    disposition = c(0L, 0L, 1L, 0L, 3L, 0L, 1L, 0L, 0L, 2L, 0L)[seq_len(nrow(data)) %% 11L + 1L]
  )
}

api_cases <- function(design, bounds) {
  variables <- c("api00", "meals", "ell", "award")
  ratios <- list(c("api00", "api99"), c("ell", "meals"))
  type <- counts("type")
  wide <- counts("wide")
  both <- c("type", "api99")
  three <- c("type", "wide", "meals")
  calibration <- function(terms, ...) {
    calibrated(design, terms, c("type", "wide"), api_totals(terms, c("type", "wide")), ..., variables = variables, ratios = ratios)
  }
  list(
    post_stratified(design, "type", type, variables, ratios),
    post_stratified(design, "wide", wide, variables, ratios),
    raked(design, list(type = type, wide = wide), variables, ratios),
    raked(design, list(wide = wide, type = type), variables, ratios),
    calibration(both, "linear"),
    calibration(three, "linear"),
    calibration(both, "linear", variances = "target_stays"),
    calibration(both, "linear", bounds = bounds),
    calibration(three, "raking"),
    calibration(c("type", "wide"), "raking"),
    calibration(both, "raking"),
    calibration(both, "raking", bounds = bounds),
    calibration(both, "logit", bounds = bounds),
    calibration(three, "logit", bounds = c(0.2, 4)),
    nonresponse(design, "disposition", "type"),
    nonresponse(design, "disposition", "wide")
  )
}

columns <- api_columns(apistrat, seq_len(nrow(apistrat)), codes(apistrat$stype), apistrat$fpc)
design <- svydesign(ids = ~1, strata = ~stratum, weights = ~weight, fpc = ~population, data = columns)
cases <- c(
  api_cases(design, c(0.9, 1.1)),
  lapply(list(c(0, 40, 0), c(16, 42, 0), c(16, 42, 1), c(0, 40, 1), c(18, 40, 1)), function(bounds) {
    trimmed(design, bounds[1], bounds[2], bounds[3] == 1, c("api00", "meals"), list(c("ell", "meals")))
  })
)
write_fixture(folder, "weights_apistrat", api_source, columns, cases)

columns <- api_columns(apisrs, seq_len(nrow(apisrs)), 0L, apisrs$fpc)
design <- svydesign(ids = ~1, weights = ~weight, fpc = ~population, data = columns)
write_fixture(folder, "weights_apisrs", api_source, columns, api_cases(design, c(0.8, 1.3)))

columns <- api_columns(apiclus1, codes(apiclus1$dnum), 0L, apiclus1$fpc)
design <- svydesign(ids = ~cluster, weights = ~weight, fpc = ~population, data = columns)
write_fixture(folder, "weights_apiclus1", api_source, columns, api_cases(design, c(0.4, 1.8)))

columns <- api_columns(apiclus2, codes(apiclus2$dnum), 0L, 1e9)
design <- svydesign(ids = ~cluster, weights = ~weight, data = columns)
columns$population <- NULL
write_fixture(folder, "weights_apiclus2", api_source, columns, api_cases(design, c(0.5, 2)))

data(hospital)
columns <- data.frame(
  weight = hospital$weighta, cluster = seq_len(nrow(hospital)), stratum = codes(hospital$oblevel),
  population = hospital$tothosp, level = codes(hospital$oblevel), births = hospital$births, one = 1
)
design <- svydesign(ids = ~1, strata = ~stratum, weights = ~weight, fpc = ~population, data = columns)
hospitals <- tapply(columns$population, columns$level, max)
cases <- list(
  post_stratified(design, "level", hospitals * 1.02, c("births", "one"), list(c("births", "one"))),
  calibrated(design, "level", "level", c(sum(hospitals), hospitals[-1]) * 1.02, "raking", variables = c("births", "one")),
  trimmed(design, 4, 20, FALSE, "births"),
  trimmed(design, 4, 20, TRUE, "births")
)
write_fixture(folder, "weights_hospital", "R package survey, data set hospital: Levy and Lemeshow, Sampling of Populations, 3rd edition, page 161",
  columns, cases)

data(nhanes)
columns <- data.frame(
  weight = nhanes$WTMEC2YR, cluster = codes(paste(nhanes$SDMVSTRA, nhanes$SDMVPSU)), stratum = codes(nhanes$SDMVSTRA),
  race = codes(nhanes$race), age = codes(nhanes$agecat), sex = codes(nhanes$RIAGENDR),
  high = ifelse(is.na(nhanes$HI_CHOL), 0, nhanes$HI_CHOL), known = as.integer(!is.na(nhanes$HI_CHOL))
)
design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = columns)
# Totals that differ from the sample's by shares that are made up.
made_up <- function(column, shares) {
  totals <- tapply(columns$weight, columns[[column]], sum)
  as.numeric(totals * shares * sum(columns$weight) / sum(totals * shares))
}
race <- made_up("race", c(1.1, 0.9, 1, 1.2))
age <- made_up("age", c(1, 0.95, 1.05, 1.1))
sex <- made_up("sex", c(0.97, 1.03))
variables <- c("high", "known")
ratios <- list(c("high", "known"))
all <- sum(columns$weight)
cases <- list(
  post_stratified(design, "race", race, variables, ratios, keep_weights = FALSE),
  raked(design, list(race = race, age = age, sex = sex), variables, ratios, keep_weights = FALSE),
  raked(design, list(sex = sex, age = age), variables, ratios, keep_weights = FALSE),
  calibrated(design, c("race", "age", "sex"), c("race", "age", "sex"), c(all, race[-1], age[-1], sex[-1]), "raking",
    variables = variables, ratios = ratios, keep_weights = FALSE),
  calibrated(design, c("race", "age", "sex"), c("race", "age", "sex"), c(all, race[-1], age[-1], sex[-1]), "linear",
    variables = variables, ratios = ratios, keep_weights = FALSE),
  calibrated(design, c("race", "age"), c("race", "age"), c(all, race[-1], age[-1]), "logit", bounds = c(0.5, 2),
    variables = variables, ratios = ratios, keep_weights = FALSE),
  calibrated(design, c("race", "age"), c("race", "age"), c(all, race[-1], age[-1]), "linear", bounds = c(0.8, 1.25),
    variables = variables, ratios = ratios, keep_weights = FALSE),
  trimmed(design, 3000, 100000, TRUE, variables, ratios, keep_weights = FALSE)
)
write_fixture(folder, "weights_nhanes", paste(
  "R package survey, data set nhanes: cholesterol from the US National Health and Nutrition Examination Survey 2009-2010,",
  "National Center for Health Statistics"
), columns, cases)
