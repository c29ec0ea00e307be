# Counties drawn with unequal probabilities; read by survey.R.

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
