# Schools of California (api) under six designs, with single units and with calibrated weights; read by survey.R.

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
few <- strat[c(which(strat$type == 1), which(strat$type == 2)[1:2], which(strat$type == 3)[1]), ]
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
