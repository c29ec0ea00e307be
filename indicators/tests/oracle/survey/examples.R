# Small examples of textbooks and manuals; read by survey.R.

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
