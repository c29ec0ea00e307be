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
# Data sets come with the package (GPL-2 | GPL-3); their sources are named in its help pages and repeated below.

suppressPackageStartupMessages({
  library(survey)
  library(jsonlite)
})
options(survey.lonely.psu = "fail", warn = -1)

folder <- commandArgs(trailingOnly = TRUE)[1]
seed <- 20261201

# ---- describing a case -------------------------------------------------------------------------------------------

stage <- function(clusters = NULL, strata = NULL, kind = "with_replacement", column = NULL, mean = NULL, form = NULL) {
  list(clusters = clusters, strata = strata, kind = kind, column = column, mean = mean, form = form)
}

description <- function(weights, stages, labels = "unique", single_units = "fail", first_stage_only = FALSE) {
  list(
    weights = weights, stages = stages, labels = labels, single_units = single_units,
    first_stage_only = first_stage_only
  )
}

within_domain <- function(design, domain) {
  if (is.null(domain)) {
    return(design)
  }
  marks <- design$variables[[domain$column]] == domain$code
  design[which(marks), ]
}

domain_of <- function(column, code) list(column = column, code = code)

term <- function(name) as.formula(paste0("~", name))
# Some results are matrices of one entry.
number <- function(value) if (length(value) == 0 || is.na(value)) NULL else as.vector(value)

# ---- statistics --------------------------------------------------------------------------------------------------

# pps designs have no influence of their own for design effects of subsets, so these are left out there.
location <- function(kind, value, domain = NULL, deff = TRUE) {
  list(kind = kind, value = value, domain = domain, compute = function(design) {
    design <- within_domain(design, domain)
    estimator <- if (kind == "total") svytotal else svymean
    result <- estimator(term(value), design)
    interval <- confint(result, df = degf(design))
    expected <- list(
      point = number(coef(result)), standard_error = number(SE(result)), degrees_of_freedom = degf(design),
      lower = number(interval[1]), upper = number(interval[2])
    )
    if (deff) {
      expected$design_effect <- number(deff(estimator(term(value), design, deff = TRUE)))
      expected$design_effect_with_replacement <- number(deff(estimator(term(value), design, deff = "replace")))
    }
    expected
  })
}

ratio <- function(numerator, denominator, domain = NULL, deff = TRUE) {
  list(kind = "ratio", numerator = numerator, denominator = denominator, domain = domain, compute = function(design) {
    design <- within_domain(design, domain)
    result <- svyratio(term(numerator), term(denominator), design)
    interval <- confint(result, df = degf(design))
    expected <- list(
      point = number(coef(result)), standard_error = number(SE(result)), degrees_of_freedom = degf(design),
      lower = number(interval[1]), upper = number(interval[2])
    )
    if (deff) {
      expected$design_effect <- number(deff(svyratio(term(numerator), term(denominator), design, deff = TRUE)))
    }
    expected
  })
}

# A column of 0 and 1. Wilson's interval is that of prop.test for the effective number, at the level whose normal
# quantile is the Student quantile of the design.
proportion <- function(value, domain = NULL, level = 0.95) {
  list(kind = "proportion", value = value, domain = domain, level = level, compute = function(design) {
    design <- within_domain(design, domain)
    result <- svymean(term(value), design)
    p <- unname(coef(result))
    interval <- function(method) attr(svyciprop(term(value), design, method = method, level = level), "ci")
    effective <- p * (1 - p) / as.vector(SE(result))^2
    t <- qt(1 - (1 - level) / 2, degf(design))
    wilson <- suppressWarnings(
      prop.test(effective * p, effective, conf.level = 1 - 2 * pnorm(-t), correct = FALSE)$conf.int
    )
    ends <- function(interval) unname(as.vector(interval))
    list(
      point = p, standard_error = number(SE(result)), logit = ends(interval("xlogit")), beta = ends(interval("beta")),
      mean = ends(interval("mean")), wilson = ends(wilson)
    )
  })
}

# survey 4.1-1 gives the second smallest value where the probability is below the share of the smallest one; by the
# definition of its rule "math" (the smallest value up to which the share is at least p) it is the smallest.
math_rule <- function(x, w, p) {
  x <- x[w > 0]
  w <- w[w > 0]
  if (p <= w[order(x)][1] / sum(w)) min(x) else survey:::qrule_math(x, w, p)
}

quantiles <- function(value, probability, domain = NULL) {
  list(kind = "quantile", value = value, probability = probability, domain = domain, compute = function(design) {
    design <- within_domain(design, domain)
    expected <- list()
    for (method in c("mean", "xlogit", "beta")) {
      result <- svyquantile(term(value), design, probability, interval.type = method, qrule = math_rule)[[1]]
      expected$point <- number(result[1])
      expected[[method]] <- list(
        lower = number(result[2]), upper = number(result[3]), standard_error = number(result[4])
      )
    }
    expected
  })
}

# Covariances of means of several columns.
covariances <- function(values, domain = NULL) {
  list(kind = "covariances", values = values, domain = domain, compute = function(design) {
    design <- within_domain(design, domain)
    result <- svymean(as.formula(paste0("~", paste(values, collapse = "+"))), design)
    list(points = unname(coef(result)), covariances = as.vector(unname(vcov(result))))
  })
}

# A linear combination of means of one value over categories: contrasts, differences, changes.
combination <- function(value, by, codes, coefficients) {
  list(kind = "combination", value = value, by = by, codes = codes, coefficients = coefficients,
    compute = function(design) {
      means <- svyby(term(value), term(by), design, svymean, covmat = TRUE)
      all <- setNames(rep(0, length(coef(means))), names(coef(means)))
      all[as.character(codes)] <- coefficients
      result <- svycontrast(means, all)
      list(point = number(coef(result)), standard_error = number(SE(result)))
    })
}

# The quotient of two domains' totals.
quotient <- function(value, by, codes) {
  list(kind = "quotient", value = value, by = by, codes = codes, compute = function(design) {
    totals <- svyby(term(value), term(by), design, svytotal, covmat = TRUE)
    names <- paste0("`", codes, "`")
    result <- svycontrast(totals, parse(text = paste(names[1], "/", names[2]))[[1]])
    list(point = number(coef(result)), standard_error = number(SE(result)))
  })
}

# Means, or ratios, for all categories at once.
partition <- function(numerator, denominator, by) {
  list(kind = "partition", numerator = numerator, denominator = denominator, by = by, compute = function(design) {
    codes <- sort(unique(design$variables[[by]]))
    parts <- lapply(codes, function(code) {
      part <- within_domain(design, domain_of(by, code))
      result <- svyratio(term(numerator), term(denominator), part, deff = TRUE)
      c(coef(result), SE(result), deff(result), degf(part))
    })
    parts <- do.call(rbind, parts)
    column <- function(position) lapply(unname(parts[, position]), number)
    list(
      codes = codes, points = column(1), standard_errors = column(2), design_effects = column(3),
      degrees_of_freedom = column(4)
    )
  })
}

table_test <- function(rows, columns, domain = NULL) {
  list(kind = "table", rows = rows, columns = columns, domain = domain, compute = function(design) {
    design <- within_domain(design, domain)
    formula <- as.formula(paste0("~", rows, "+", columns))
    second <- svychisq(formula, design, statistic = "F")
    first <- svychisq(formula, design, statistic = "Chisq")
    cells <- svymean(as.formula(paste0("~interaction(factor(", columns, "),factor(", rows, "))")), design)
    list(
      shares = unname(coef(cells)), standard_errors = unname(SE(cells)),
      totals = as.vector(t(unclass(svytable(formula, design)))),
      pearson = number(first$statistic), first_order_p = number(first$p.value), second_order = number(second$statistic),
      numerator_degrees = number(second$parameter[1]), denominator_degrees = number(second$parameter[2]),
      second_order_p = number(second$p.value)
    )
  })
}

case <- function(name, design, description, statistics) {
  statistics <- lapply(statistics, function(statistic) {
    expected <- statistic$compute(design)
    statistic$compute <- NULL
    statistic$expected <- expected
    statistic
  })
  list(name = name, design = description, statistics = statistics)
}

write_fixture <- function(dataset, source, columns, cases, seed = NULL) {
  fixture <- list(
    dataset = dataset, source = source, r = paste(R.version$major, R.version$minor, sep = "."),
    survey = as.character(packageVersion("survey")), seed = seed, columns = as.list(columns), cases = cases
  )
  text <- toJSON(fixture, auto_unbox = TRUE, digits = NA, na = "null", null = "null")
  writeLines(text, file.path(folder, paste0(dataset, ".json")))
}

# ---- schools of California (api) ---------------------------------------------------------------------------------

data(api)
api_source <- paste(
  "California Academic Performance Index 2000, data set api of the R package survey",
  "(Lumley, GPL-2 | GPL-3)"
)
api_columns <- function(data) {
  data$type <- as.integer(data$stype)
  data$school_wide <- as.integer(data$sch.wide == "Yes")
  data$award <- as.integer(data$awards == "Yes")
  data$award_code <- data$award + 1L
  data$target_met <- data$school_wide + 1L
  data$half <- as.integer(data$meals > 50) + 1L
  data$one <- 1
  data$stu <- data$api.stu
  data
}
api_kept <- c(
  "pw", "type", "api00", "api99", "enroll", "stu", "meals", "ell", "school_wide", "award", "award_code", "target_met",
  "half", "one"
)
api_statistics <- function(domains = list(domain_of("type", 1), domain_of("half", 2))) {
  everywhere <- c(list(NULL), domains)
  c(
    lapply(everywhere, function(domain) location("total", "stu", domain)),
    lapply(everywhere, function(domain) location("total", "award", domain)),
    lapply(everywhere, function(domain) location("mean", "api00", domain)),
    lapply(everywhere, function(domain) location("mean", "ell", domain)),
    lapply(everywhere, function(domain) ratio("api00", "api99", domain)),
    lapply(everywhere, function(domain) ratio("stu", "enroll_known", domain)),
    lapply(everywhere, function(domain) proportion("award", domain)),
    lapply(everywhere, function(domain) proportion("school_wide", domain)),
    list(proportion("award", level = 0.9)),
    # With equal weights, round shares are met exactly; whether R finds them met then hangs on rounding.
    unlist(lapply(c(0.103, 0.251, 0.497, 0.748, 0.902), function(p) {
      lapply(everywhere, function(domain) quantiles("api00", p, domain))
    }), recursive = FALSE),
    list(
      quantiles("meals", 0.5), quantiles("ell", 0.3),
      covariances(c("api00", "api99", "meals", "award")),
      covariances(c("api00", "ell", "school_wide"), domain_of("type", 1)),
      combination("api00", "type", c(1, 2), c(1, -1)), combination("api00", "type", c(1, 2, 3), c(1, -0.5, -0.5)),
      combination("award", "half", c(1, 2), c(-1, 1)), quotient("stu", "type", c(2, 1)),
      partition("api00", "api99", "type"), partition("award", "one", "half"),
      table_test("type", "award_code"), table_test("target_met", "award_code"), table_test("type", "half"),
      table_test("target_met", "half", domain_of("type", 1))
    )
  )
}
# enroll is missing for one school of apisrs and apistrat; the ratio's denominator takes api.stu + 100 there.
known_enrolment <- function(data) {
  data$enroll_known <- ifelse(is.na(data$enroll), data$stu + 100, data$enroll)
  data
}
api_kept <- c(setdiff(api_kept, "enroll"), "enroll_known")

srs <- known_enrolment(api_columns(apisrs))
srs_stage <- function(...) list(stage(...))
write_fixture("apisrs", api_source, srs[c(api_kept, "fpc")], list(
  case(
    "simple random sample without replacement",
    svydesign(id = ~1, weights = ~pw, fpc = ~fpc, data = srs),
    description("pw", list(stage(kind = "population", column = "fpc"))), api_statistics()
  ),
  case(
    "with replacement", svydesign(id = ~1, weights = ~pw, data = srs), description("pw", list(stage())),
    api_statistics()
  )
))

strat <- known_enrolment(api_columns(apistrat))
# One middle and two high schools are left, so that a stratum has a single unit.
set.seed(seed)
few <- strat[c(which(strat$type == 1), which(strat$type == 2)[1:2], which(strat$type == 3)[1]), ]
few$region <- few$cnum %% 7
few$joined <- ifelse(few$type == 3, 2, few$type)
few$joined_fpc <- ifelse(few$type == 1, few$fpc, 1018 + 755)
lonely_cases <- function(data, fpc) {
  lapply(c("certainty", "adjust", "average", "collapse"), function(policy) {
    options(survey.lonely.psu = if (policy == "collapse") "fail" else policy)
    strata <- if (policy == "collapse") ~joined else ~type
    counts <- if (!fpc) NULL else if (policy == "collapse") ~joined_fpc else ~fpc
    design <- svydesign(id = ~1, strata = strata, weights = ~pw, fpc = counts, data = data)
    first <- if (fpc) {
      stage(strata = "type", kind = "population", column = "fpc")
    } else {
      stage(strata = "type")
    }
    statistics <- list(
      location("total", "stu", deff = FALSE), location("mean", "api00", deff = FALSE), ratio("api00", "api99"),
      proportion("award"), covariances(c("api00", "meals", "award")), quantiles("api00", 0.5)
    )
    result <- case(paste("single unit,", policy, if (fpc) "with fpc"), design,
      description("pw", list(first), single_units = policy), statistics)
    options(survey.lonely.psu = "fail")
    result
  })
}
write_fixture("apistrat", api_source, strat[c(api_kept, "fpc")], list(
  case(
    "stratified without replacement",
    svydesign(id = ~1, strata = ~type, weights = ~pw, fpc = ~fpc, data = strat),
    description("pw", list(stage(strata = "type", kind = "population", column = "fpc"))), api_statistics()
  ),
  case(
    "stratified with replacement",
    svydesign(id = ~1, strata = ~type, weights = ~pw, data = strat), description("pw", list(stage(strata = "type"))),
    api_statistics()
  )
))
write_fixture("apistrat_single", api_source, few[c(api_kept, "fpc")], c(
  lonely_cases(few, TRUE), lonely_cases(few, FALSE)
))

clus1 <- known_enrolment(api_columns(apiclus1))
# Weights calibrated to the population's counts by type and to its sum of api99, or post-stratified by type; the variance
# is that of the residuals of a regression on the columns named in "adjustment".
clus1$type_2 <- as.integer(clus1$type == 2)
clus1$type_3 <- as.integer(clus1$type == 3)
clus1_design <- svydesign(id = ~dnum, weights = ~pw, fpc = ~fpc, data = clus1)
calibrated <- calibrate(clus1_design, ~ type_2 + type_3 + api99, c(
  `(Intercept)` = 6194, type_2 = 1018, type_3 = 755, api99 = 3914069
))
clus1$calibrated_weight <- weights(calibrated)
poststratified <- postStratify(clus1_design, ~type, data.frame(type = 1:3, Freq = c(4421, 1018, 755)))
clus1$poststratified_weight <- weights(poststratified)
clus1_description <- function(weights, columns) {
  c(
    description(weights, list(stage("dnum", kind = "population", column = "fpc"))),
    list(adjustment = list(base_weights = "pw", columns = columns))
  )
}
calibrated_statistics <- c(
  unlist(lapply(list(NULL, domain_of("type", 1), domain_of("half", 2)), function(domain) {
    list(
      location("total", "stu", domain), location("mean", "api00", domain), location("mean", "ell", domain),
      ratio("api00", "api99", domain)
    )
  }), recursive = FALSE),
  # svyciprop takes the rows of a whole calibrated design for those of a subset, so domains are left out.
  list(
    proportion("award"), proportion("school_wide"),
    quantiles("api00", 0.497), quantiles("ell", 0.3), partition("api00", "api99", "half"),
    partition("award", "one", "type"), covariances(c("api00", "meals", "award")), table_test("target_met", "award_code")
  )
)
write_fixture("apiclus1", api_source, clus1[c(
  api_kept, "fpc", "dnum", "type_2", "type_3", "calibrated_weight", "poststratified_weight"
)], list(
  case("calibrated", calibrated,
    clus1_description("calibrated_weight", c("one", "type_2", "type_3", "api99")), calibrated_statistics),
  case("post-stratified", poststratified,
    clus1_description("poststratified_weight", c("one", "type_2", "type_3")), calibrated_statistics),
  case(
    "clusters without replacement", svydesign(id = ~dnum, weights = ~pw, fpc = ~fpc, data = clus1),
    description("pw", list(stage("dnum", kind = "population", column = "fpc"))), api_statistics()
  ),
  case(
    "clusters with replacement", svydesign(id = ~dnum, weights = ~pw, data = clus1),
    description("pw", list(stage("dnum"))), api_statistics()
  )
))

clus2 <- known_enrolment(api_columns(apiclus2))
two_stages <- list(
  stage("dnum", kind = "population", column = "fpc1"), stage("snum", kind = "population", column = "fpc2")
)
ultimate <- local({
  options(survey.ultimate.cluster = TRUE)
  result <- case(
    "first stage only", svydesign(id = ~ dnum + snum, weights = ~pw, fpc = ~ fpc1 + fpc2, data = clus2),
    description("pw", two_stages, first_stage_only = TRUE), api_statistics()
  )
  options(survey.ultimate.cluster = FALSE)
  result
})
write_fixture("apiclus2", api_source, clus2[c(api_kept, "fpc1", "fpc2", "dnum", "snum")], list(
  case(
    "two stages", svydesign(id = ~ dnum + snum, weights = ~pw, fpc = ~ fpc1 + fpc2, data = clus2),
    description("pw", two_stages), api_statistics()
  ),
  case(
    "two stages with replacement", svydesign(id = ~ dnum + snum, weights = ~pw, data = clus2),
    description("pw", list(stage("dnum"), stage("snum"))), api_statistics()
  ),
  ultimate
))

# ---- unequal probabilities ---------------------------------------------------------------------------------------

data(election)
votes <- election_pps
names(votes) <- tolower(gsub("[^A-Za-z]", "", names(votes)))
votes$weight <- 1 / votes$p
votes$half <- rep(1:2, 20)
votes$meanp <- sum(election$p^2) / 40
votes$bushinhalf <- votes$bush * (votes$half == 1)
votes$region <- ifelse(seq_len(40) <= 21, 1, 2)
pps_statistics <- list(
  location("total", "bush", deff = FALSE), location("total", "kerry", deff = FALSE),
  location("total", "nader", deff = FALSE), location("total", "bushinhalf", deff = FALSE),
  ratio("bush", "votes", deff = FALSE), ratio("nader", "votes", deff = FALSE),
  ratio("precinctsreporting", "totprecincts", deff = FALSE), location("mean", "kerry", deff = FALSE)
)
unequal <- function(name, kind, design, ..., strata = NULL) {
  case(name, design, description("weight", list(stage(strata = strata, kind = kind, column = "p", ...))), pps_statistics)
}
joint <- as.vector(t(election_jointprob))
write_fixture("election_pps", paste(
  "US presidential election 2004 by county, a systematic sample of 40 with probability proportional to votes, data set",
  "election of the R package survey (Lumley, GPL-2 | GPL-3)"
), c(as.list(votes[c("weight", "p", "bush", "kerry", "nader", "votes", "totprecincts", "precinctsreporting", "half",
  "bushinhalf", "meanp", "region")]), list(joint = joint)), list(
  unequal("Brewer", "brewer", svydesign(id = ~1, fpc = ~p, data = votes, pps = "brewer")),
  unequal("Brewer in strata", "brewer",
    svydesign(id = ~1, strata = ~region, fpc = ~p, data = votes, pps = "brewer"), strata = "region"),
  unequal("Overton", "overton", svydesign(id = ~1, fpc = ~p, data = votes, pps = "overton"), form = "ht"),
  unequal("Overton, Yates-Grundy", "overton",
    svydesign(id = ~1, fpc = ~p, data = votes, pps = "overton", variance = "YG"), form = "yg"),
  unequal("Overton in strata", "overton",
    svydesign(id = ~1, strata = ~region, fpc = ~p, data = votes, pps = "overton"), form = "ht", strata = "region"),
  unequal("Hartley-Rao", "hartley_rao",
    svydesign(id = ~1, fpc = ~p, data = votes, pps = HR(sum(election$p^2) / 40)), mean = "meanp", form = "ht"),
  unequal("Hartley-Rao from the sample", "hartley_rao", svydesign(id = ~1, fpc = ~p, data = votes, pps = HR()),
    form = "ht"),
  unequal("Hartley-Rao, Yates-Grundy", "hartley_rao",
    svydesign(id = ~1, fpc = ~p, data = votes, pps = HR(), variance = "YG"), form = "yg"),
  unequal("joint probabilities", "exact",
    svydesign(id = ~1, fpc = ~p, data = votes, pps = ppsmat(election_jointprob, tolerance = 0)), form = "ht"),
  unequal("joint probabilities, Yates-Grundy", "exact",
    svydesign(id = ~1, fpc = ~p, data = votes, pps = ppsmat(election_jointprob, tolerance = 0), variance = "YG"),
    form = "yg"),
  case("with replacement", svydesign(id = ~1, weights = ~weight, data = votes), description("weight", list(stage())),
    c(pps_statistics, list(quantiles("bush", 0.5), covariances(c("bush", "kerry", "nader")),
      partition("bush", "votes", "half"))))
))

# ---- large public-use files --------------------------------------------------------------------------------------

data(nhanes)
health <- data.frame(
  weight = nhanes$WTMEC2YR, stratum = nhanes$SDMVSTRA, psu = nhanes$SDMVPSU, high = nhanes$HI_CHOL,
  race = nhanes$race, age = as.integer(nhanes$agecat), sex = nhanes$RIAGENDR
)
health$known <- as.integer(!is.na(health$high))
health$high_known <- ifelse(is.na(health$high), 0, health$high)
health$high_code <- health$high_known + 1L
# Domains are complete cases by age: 0 where the measurement is missing.
health$known_age <- health$age * health$known
health$known_men <- health$known * (health$sex == 1)
ages <- lapply(1:4, function(code) domain_of("known_age", code))
health_domains <- c(list(domain_of("known", 1), domain_of("known_men", 1)), ages)
write_fixture("nhanes", paste(
  "US National Health and Nutrition Examination Survey 2009-2010 (public use), data set nhanes of the R package survey",
  "(Lumley, GPL-2 | GPL-3)"
), health[c("weight", "stratum", "psu", "race", "age", "sex", "known", "high_known", "high_code", "known_age",
  "known_men")], list(
  case(
    "codes of clusters start anew in each stratum",
    svydesign(id = ~psu, strata = ~stratum, weights = ~weight, nest = TRUE, data = health),
    description("weight", list(stage("psu", "stratum")), labels = "within_strata"),
    c(
      lapply(health_domains, function(domain) location("total", "high_known", domain)),
      lapply(health_domains, function(domain) location("mean", "high_known", domain)),
      lapply(health_domains, function(domain) proportion("high_known", domain)),
      list(
        location("total", "known"), ratio("high_known", "known"), ratio("high_known", "known", domain_of("race", 2)),
        covariances(c("high_known", "known"), domain_of("sex", 1)),
        combination("high_known", "known_age", c(4, 2), c(1, -1)),
        combination("high_known", "race", c(1, 2, 3, 4), c(1, 1, -1, -1)), quotient("high_known", "sex", c(1, 2)),
        partition("high_known", "known", "age"), partition("high_known", "known", "race"),
        table_test("race", "high_code", domain_of("known", 1)), table_test("sex", "high_code", domain_of("known", 1)),
        table_test("age", "high_code", domain_of("known_men", 1)), table_test("race", "age")
      )
    )
  )
))

data(yrbs)
youth <- data.frame(weight = yrbs$weight, stratum = yrbs$stratum, psu = yrbs$psu, qn8 = yrbs$qn8)
youth$psu <- as.integer(factor(youth$psu))
youth$known <- as.integer(!is.na(youth$qn8))
youth$yes <- ifelse(is.na(youth$qn8), 0, as.integer(youth$qn8 == 1))
youth$part <- youth$psu %% 5
write_fixture("yrbs", paste(
  "US Youth Risk Behavior Survey 2015 (public use), data set yrbs of the R package survey (Lumley, GPL-2 | GPL-3)"
), youth[c("weight", "stratum", "psu", "known", "yes", "part")], list(
  case(
    "clusters in strata", svydesign(id = ~psu, strata = ~stratum, weights = ~weight, nest = TRUE, data = youth),
    description("weight", list(stage("psu", "stratum")), labels = "within_strata"),
    c(
      list(
        location("total", "yes"), location("mean", "yes", domain_of("known", 1)),
        proportion("yes", domain_of("known", 1)), ratio("yes", "known"), partition("yes", "known", "part"),
        covariances(c("yes", "known")), combination("yes", "part", c(0, 4), c(1, -1))
      ),
      lapply(0:4, function(part) proportion("yes", domain_of("part", part))),
      lapply(0:4, function(part) location("total", "yes", domain_of("part", part)))
    )
  )
))

# ---- small examples ----------------------------------------------------------------------------------------------

small_statistics <- function(value, other, by, p = 0.25) {
  list(
    location("total", value), location("mean", value), location("total", other), location("mean", other),
    ratio(value, other), covariances(c(value, other)), partition(value, other, by), quantiles(value, 0.5),
    quantiles(other, p), location("total", value, domain_of(by, 1)), location("mean", value, domain_of(by, 1)),
    ratio(value, other, domain_of(by, 2))
  )
}

data(scd)
scd$weight <- 1
scd$half <- rep(1:2, 3)
write_fixture("scd", paste(
  "Cardiac arrests and survivors by ambulance, Levy & Lemeshow, Sampling of Populations; data set scd of the R package",
  "survey (Lumley, GPL-2 | GPL-3)"
), scd[c("weight", "ESA", "ambulance", "arrests", "alive", "half")], list(
  case("two per stratum", svydesign(id = ~ambulance, strata = ~ESA, weights = ~weight, nest = TRUE, data = scd),
    description("weight", list(stage("ambulance", "ESA")), labels = "within_strata"),
    small_statistics("alive", "arrests", "half", 0.6))
))

data(mu284)
mu <- mu284
mu$weight <- (mu$n1 / 5) * (mu$n2 / 3)
mu$other <- mu$y1 + seq_along(mu$y1) %% 4
mu$half <- rep(1:2, length.out = nrow(mu))
mu_stages <- list(
  stage("id1", kind = "population", column = "n1"), stage("id2", kind = "population", column = "n2")
)
write_fixture("mu284", paste(
  "Municipalities of Sweden, Saerndal, Swensson & Wretman (1992), example 4.3; data set mu284 of the R package survey",
  "(Lumley, GPL-2 | GPL-3)"
), mu[c("weight", "id1", "id2", "n1", "n2", "y1", "other", "half")], list(
  case("two stages", svydesign(id = ~ id1 + id2, weights = ~weight, fpc = ~ n1 + n2, data = mu),
    description("weight", mu_stages), small_statistics("y1", "other", "half")),
  case("with replacement", svydesign(id = ~id1, weights = ~weight, data = mu),
    description("weight", list(stage("id1"))), small_statistics("y1", "other", "half"))
))

data(fpc)
small <- fpc
small$other <- small$x + c(1, 0, 2, 1, 0, 1, 2, 1)
small$half <- rep(1:2, 4)
write_fixture("fpc", paste(
  "Example of finite population corrections (SUDAAN and Stata manuals); data set fpc of the R package survey",
  "(Lumley, GPL-2 | GPL-3)"
), small[c("weight", "stratid", "psuid", "Nh", "x", "other", "half")], list(
  case("with fpc", svydesign(id = ~psuid, strata = ~stratid, weights = ~weight, fpc = ~Nh, nest = TRUE, data = small),
    description("weight", list(stage("psuid", "stratid", "population", "Nh")), labels = "within_strata"),
    small_statistics("x", "other", "half")),
  case("without fpc", svydesign(id = ~psuid, strata = ~stratid, weights = ~weight, nest = TRUE, data = small),
    description("weight", list(stage("psuid", "stratid")), labels = "within_strata"),
    small_statistics("x", "other", "half"))
))

data(hospital)
wards <- hospital
wards$half <- rep(1:2, length.out = nrow(wards))
write_fixture("hospital", paste(
  "Hospitals by level of obstetric care, Levy & Lemeshow, Sampling of Populations; data set hospital of the R package",
  "survey (Lumley, GPL-2 | GPL-3)"
), wards[c("weighta", "weightats", "oblevel", "tothosp", "births", "half", "hospno")], list(
  case("stratified", svydesign(id = ~1, strata = ~oblevel, weights = ~weighta, fpc = ~tothosp, data = wards),
    description("weighta", list(stage(strata = "oblevel", kind = "population", column = "tothosp"))),
    small_statistics("births", "hospno", "half")),
  case("other weights", svydesign(id = ~1, strata = ~oblevel, weights = ~weightats, data = wards),
    description("weightats", list(stage(strata = "oblevel"))), small_statistics("births", "hospno", "half"))
))

data(crowd)
houses <- crowd
houses$half <- rep(1:2, 3)
houses$psu <- houses$cluster + 10 * houses$stratum
write_fixture("crowd", paste(
  "Persons and rooms of households, an example of BRR; data set crowd of the R package survey (Lumley, GPL-2 | GPL-3)"
), houses[c("weight", "stratum", "psu", "rooms", "person", "half")], list(
  case("two per stratum", svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = houses),
    description("weight", list(stage("psu", "stratum"))), small_statistics("rooms", "person", "half"))
))

# ---- hamlets, households, persons ----------------------------------------------------------------------------------

# A drawn population: strata of hamlets, households in hamlets, persons in households; two rounds that share hamlets.
set.seed(seed)
draw_round <- function(round, hamlets) {
  do.call(rbind, lapply(seq_len(nrow(hamlets)), function(place) {
    hamlet <- hamlets[place, ]
    level <- plogis(qlogis(0.5) + hamlet$effect + 0.3 * (round - 1))
    do.call(rbind, lapply(seq_len(hamlet$households), function(household) {
      persons <- 1 + rpois(1, 2.4)
      taken <- min(persons, 1 + rpois(1, 1.2))
      age <- sample(6:90, taken, replace = TRUE)
      uses <- rbinom(taken, 1, pmin(1, pmax(0, level - (age - 40) / 150)))
      data.frame(
        round = round, stratum = hamlet$stratum, hamlet = hamlet$hamlet, household = household,
        person = seq_len(taken), hamlets = hamlet$hamlets, hamlet_households = hamlet$size,
        household_persons = persons, age = age, uses = uses, hours = round(uses * rexp(taken, 0.4), 2),
        commune = hamlet$commune,
        weight = hamlet$hamlets / hamlet$sampled * hamlet$size / hamlet$households * persons / taken
      )
    }))
  }))
}
strata_sizes <- data.frame(stratum = 1:6, hamlets = c(14, 9, 22, 5, 11, 3), sampled = c(5, 3, 6, 1, 4, 3))
hamlets <- do.call(rbind, lapply(seq_len(6), function(h) {
  n <- strata_sizes$sampled[h]
  data.frame(
    stratum = h, hamlets = strata_sizes$hamlets[h], sampled = n, hamlet = 100 * h + seq_len(n),
    size = sample(20:60, n, replace = TRUE), effect = rnorm(n, sd = 0.5), commune = 3 * (h - 1) + sample(3, n, replace = TRUE)
  )
}))
hamlets$households <- pmax(1, rpois(nrow(hamlets), 7))
hamlets$households[4] <- 1
hamlets$households[9] <- hamlets$size[9]
people <- draw_round(1, hamlets)
again <- people[0, ]
again <- draw_round(2, hamlets[hamlets$hamlet %% 2 == 1 | hamlets$stratum == 4, ])
three <- list(
  stage("hamlet", "stratum", "population", "hamlets"), stage("household", NULL, "population", "hamlet_households"),
  stage("person", NULL, "population", "household_persons")
)
people$one <- 1
people$uses_code <- people$uses + 1L
people$generation <- as.integer(cut(people$age, c(0, 17, 59, 200)))
people_statistics <- list(
  location("total", "uses"), location("mean", "age"), location("mean", "hours"), location("total", "hours"),
  ratio("hours", "age"), proportion("uses"), quantiles("age", 0.5), quantiles("age", 0.8),
  quantiles("hours", 0.9), covariances(c("uses", "hours", "age")), location("mean", "hours", domain_of("generation", 2)),
  proportion("uses", domain_of("generation", 3)), proportion("uses", domain_of("generation", 1)),
  partition("uses", "one", "generation"), partition("hours", "age", "commune"), partition("uses", "one", "commune"),
  combination("uses", "generation", c(1, 3), c(1, -1)), combination("hours", "stratum", c(1, 3), c(1, -1)),
  quotient("hours", "generation", c(2, 3)), table_test("generation", "uses_code")
)
people_cases <- lapply(c("certainty", "adjust"), function(policy) {
  options(survey.lonely.psu = policy)
  design <- svydesign(
    id = ~ hamlet + household + person, strata = ~stratum, weights = ~weight,
    fpc = ~ hamlets + hamlet_households + household_persons, data = people
  )
  result <- case(paste("three stages,", policy), design, description("weight", three, single_units = policy),
    people_statistics)
  options(survey.lonely.psu = "fail")
  result
})
# Where all of the strata within a hamlet are single, R's average has no value; so this looks at hamlets only.
options(survey.lonely.psu = "average")
people_cases <- c(people_cases, list(case(
  "hamlets, average", svydesign(id = ~hamlet, strata = ~stratum, weights = ~weight, fpc = ~hamlets, data = people),
  description("weight", three[1], single_units = "average"),
  list(location("total", "uses", deff = FALSE), location("mean", "age", deff = FALSE), ratio("hours", "age"),
    covariances(c("uses", "hours", "age")))
)))
options(survey.lonely.psu = "fail")
# Neighbours joined: stratum 4, with one hamlet, and stratum 5.
people$joined <- ifelse(people$stratum == 4, 5, people$stratum)
people$joined_hamlets <- ifelse(people$joined == 5, 5 + 11, people$hamlets)
people_cases <- c(people_cases, list(case(
  "hamlets, collapse", svydesign(id = ~hamlet, strata = ~joined, weights = ~weight, fpc = ~joined_hamlets, data = people),
  description("weight", three[1], single_units = "collapse"),
  list(location("total", "uses"), location("mean", "age"), ratio("hours", "age"), proportion("uses"),
    covariances(c("uses", "hours", "age")), partition("uses", "one", "generation"))
)))
# With replacement at the first stage.
people_cases <- c(people_cases, list(case(
  "hamlets with replacement", {
    options(survey.lonely.psu = "adjust")
    svydesign(id = ~hamlet, strata = ~stratum, weights = ~weight, data = people)
  }, description("weight", list(stage("hamlet", "stratum")), single_units = "adjust"), people_statistics
)))
options(survey.lonely.psu = "fail")
write_fixture("simulated_people", "Drawn in survey.R with R's default generator",
  people[c("weight", "stratum", "hamlet", "household", "person", "hamlets", "hamlet_households", "household_persons",
    "age", "uses", "hours", "commune", "one", "uses_code", "generation")],
  people_cases, seed)

both <- rbind(people[names(again)], again)
both$one <- 1
both$young <- (as.integer(both$age < 35) + 1L) * 10L + both$round
options(survey.lonely.psu = "adjust")
write_fixture("simulated_rounds", "Drawn in survey.R with R's default generator",
  both[c("weight", "round", "stratum", "hamlet", "uses", "hours", "age", "one", "young", "commune")], list(
    case(
      "two rounds that share hamlets", svydesign(id = ~hamlet, strata = ~stratum, weights = ~weight, data = both),
      description("weight", list(stage("hamlet", "stratum")), single_units = "adjust"),
      list(
        combination("uses", "round", c(2, 1), c(1, -1)), combination("hours", "round", c(2, 1), c(1, -1)),
        combination("age", "round", c(2, 1), c(1, -1)), combination("uses", "young", c(22, 21), c(1, -1)),
        combination("uses", "young", c(22, 21, 12, 11), c(1, -1, -1, 1)), quotient("uses", "round", c(2, 1)),
        quotient("hours", "round", c(2, 1)), partition("uses", "one", "round"), partition("hours", "age", "young")
      )
    )
  ), seed)
