# Large public-use files on health; read by survey.R.

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
