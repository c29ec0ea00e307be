# Hamlets, households and persons that are drawn here; read by survey.R.

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
# Hamlets as if drawn with probability proportional to a size, then households; all persons listed count.
people$size_share <- with(people, pmin(0.9, 0.02 * (hamlet_households / 4 + hamlet %% 7)))
people$household_share <- ave(people$household, people$hamlet, FUN = function(x) length(unique(x))) /
  people$hamlet_households
people$size_weight <- 1 / (people$size_share * people$household_share)
options(survey.lonely.psu = "adjust")
people_cases <- c(people_cases, list(case(
  "hamlets by size (Brewer), then households",
  svydesign(id = ~ hamlet + household, strata = ~stratum, fpc = ~ size_share + household_share, data = people,
    pps = "brewer"),
  description("size_weight", list(stage("hamlet", "stratum", "brewer", "size_share"), three[[2]]),
    single_units = "adjust"),
  list(location("total", "uses", deff = FALSE), location("mean", "age", deff = FALSE), ratio("hours", "age", deff = FALSE),
    location("mean", "hours", domain_of("generation", 2), deff = FALSE), proportion("uses"),
    covariances(c("uses", "hours", "age")), quantiles("age", 0.497),
    table_test("generation", "uses_code"))
)))
options(survey.lonely.psu = "fail")
write_fixture("simulated_people", "Drawn in survey/people.R with R's default generator",
  people[c("weight", "stratum", "hamlet", "household", "person", "hamlets", "hamlet_households", "household_persons",
    "age", "uses", "hours", "commune", "one", "uses_code", "generation", "size_share", "size_weight")],
  people_cases, seed)

both <- rbind(people[names(again)], again)
both$one <- 1
both$young <- (as.integer(both$age < 35) + 1L) * 10L + both$round
options(survey.lonely.psu = "adjust")
write_fixture("simulated_rounds", "Drawn in survey/people.R with R's default generator",
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
