# Describes designs and computes statistics of them; read by survey.R.

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
    marks <- expand.grid(
      column = sort(unique(design$variables[[columns]])), row = sort(unique(design$variables[[rows]]))
    )
    of_rows <- lapply(seq_len(nrow(marks)), function(cell) {
      in_row <- as.numeric(design$variables[[rows]] == marks$row[cell])
      in_cell <- in_row * (design$variables[[columns]] == marks$column[cell])
      share <- svyratio(in_cell, in_row, design)
      c(coef(share), SE(share))
    })
    of_rows <- do.call(rbind, of_rows)
    cells <- svymean(as.formula(paste0("~interaction(factor(", columns, "),factor(", rows, "))")), design)
    list(
      shares = unname(coef(cells)), standard_errors = unname(SE(cells)),
      totals = as.vector(t(unclass(svytable(formula, design)))), row_shares = unname(of_rows[, 1]),
      row_standard_errors = unname(of_rows[, 2]),
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
