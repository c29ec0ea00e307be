# The area-level model of Fay and Herriot, written from the papers' formulas with dense matrices: an independent check of
# the crate's room small_areas, which never forms them.
#
#   Rscript small_areas.R input.json output.json
#
# Input: {"cases": [{"y": [..], "psi": [..], "x": [[..], ..], "new": [[..], ..], "method": "reml" | "ml" | "fh" | "pr"}]},
# or {"smooth": [{"n": [..], "p": [..], "psi": [.. or null]}]}: respondents, expected proportions and variances of areas.
# Output: for each case sigma2, its asymptotic variance, beta and its standard errors, eblup, mse, gamma, standardised
# residuals, synthetic estimates and errors of the new areas, log-likelihood, AIC, BIC and the explained variance; or the
# design effect and the smoothed variances.
#
# Likelihoods are maximised by optim (Brent) and the score is then brought to 0 by uniroot; Fay and Herriot's equation is
# solved by uniroot; Prasad and Rao's estimator has a closed form.

library(jsonlite)

projection <- function(A, x, psi) {
  V <- diag(A + psi)
  Vi <- solve(V)
  Vi - Vi %*% x %*% solve(t(x) %*% Vi %*% x) %*% t(x) %*% Vi
}

restricted <- function(A, y, x, psi) {
  V <- diag(A + psi)
  P <- projection(A, x, psi)
  -0.5 * (determinant(V)$modulus + determinant(t(x) %*% solve(V) %*% x)$modulus + t(y) %*% P %*% y)
}

full <- function(A, y, x, psi) {
  -0.5 * (determinant(diag(A + psi))$modulus + t(y) %*% projection(A, x, psi) %*% y)
}

score <- function(A, y, x, psi, method) {
  P <- projection(A, x, psi)
  trace <- if (method == "reml") sum(diag(P)) else sum(1 / (A + psi))
  drop(-0.5 * trace + 0.5 * t(y) %*% P %*% P %*% y)
}

moment <- function(y, x, psi) {
  H <- x %*% solve(t(x) %*% x) %*% t(x)
  r <- y - H %*% y
  (sum(r^2) - sum(psi * (1 - diag(H)))) / (length(y) - ncol(x))
}

root <- function(f, near, widest) {
  low <- near * 0.9
  high <- near * 1.1
  while (f(low) < 0 && low > 1e-300) low <- low / 2
  while (f(high) > 0 && high < widest * 1e6) high <- high * 2
  uniroot(f, c(low, high), tol = 1e-18, maxiter = 10000)$root
}

variance <- function(y, x, psi, method) {
  top <- 10 * (var(y) + max(psi))
  if (method == "pr") return(max(0, moment(y, x, psi)))
  if (method == "fh") {
    equation <- function(A) drop(t(y) %*% projection(A, x, psi) %*% y) - (length(y) - ncol(x))
    if (equation(0) <= 0) return(0)
    return(uniroot(equation, c(0, top), tol = 1e-18, maxiter = 10000)$root)
  }
  likelihood <- if (method == "reml") restricted else full
  # Started from several places, as a likelihood may have two peaks.
  starts <- 10^seq(log10(top) - 8, log10(top), length.out = 40)
  heights <- sapply(starts, likelihood, y = y, x = x, psi = psi)
  best <- which.max(heights)
  bounds <- log(starts[c(max(1, best - 1), min(length(starts), best + 1))])
  found <- optim(log(starts[best]), function(a) -likelihood(exp(a), y, x, psi), method = "Brent",
                 lower = bounds[1], upper = bounds[2])
  if (likelihood(0, y, x, psi) >= -found$value && score(0, y, x, psi, method) <= 0) return(0)
  root(function(A) score(A, y, x, psi, method), exp(found$par), top)
}

one <- function(case) {
  y <- as.numeric(case$y); psi <- as.numeric(case$psi); x <- as.matrix(case$x); method <- case$method
  m <- length(y); p <- ncol(x)
  A <- variance(y, x, psi, method)
  V <- diag(A + psi)
  Vi <- solve(V)
  Q <- solve(t(x) %*% Vi %*% x)
  beta <- Q %*% t(x) %*% Vi %*% y
  gamma <- A / (A + psi)
  eblup <- drop(gamma * y + (1 - gamma) * x %*% beta)
  asymptotic <- switch(method, reml = , ml = 2 / sum(diag(Vi %*% Vi)), fh = 2 * m / sum(diag(Vi))^2,
                       pr = 2 * sum((A + psi)^2) / m^2)
  bias <- switch(method, reml = , pr = 0,
                 ml = -sum(diag(Q %*% t(x) %*% Vi %*% Vi %*% x)) / sum(diag(Vi %*% Vi)),
                 fh = 2 * (m * sum(diag(Vi)^2) - sum(diag(Vi))^2) / sum(diag(Vi))^3)
  g1 <- gamma * psi
  g2 <- (1 - gamma)^2 * diag(x %*% Q %*% t(x))
  g3 <- psi^2 / (A + psi)^3 * asymptotic
  residual <- drop(y - x %*% beta)
  # The covariance of y - x beta is V - x Q x'.
  standardised <- residual / sqrt(diag(V - x %*% Q %*% t(x)))
  new <- if (length(case$new)) as.matrix(case$new) else matrix(0, 0, p)
  loglike <- sum(dnorm(y, drop(x %*% beta), sqrt(A + psi), log = TRUE))
  alone <- moment(y, matrix(1, m, 1), psi)
  list(sigma2 = A, asymptotic = asymptotic, beta = drop(beta), beta_error = sqrt(diag(Q)), eblup = eblup,
       mse = drop(g1 + g2 + 2 * g3 - bias * (psi / (A + psi))^2), gamma = gamma, standardised = standardised,
       new = drop(new %*% beta), new_mse = drop(A + diag(new %*% Q %*% t(new))),
       loglike = loglike, aic = -2 * loglike + 2 * (p + 1), bic = -2 * loglike + (p + 1) * log(m),
       explained = if (alone > 0) min(1, max(0, 1 - moment(y, x, psi) / alone)) else NULL)
}

# A generalised variance function, fitted by weighted least squares through the origin as lm does it.
smooth <- function(case) {
  areas <- data.frame(psi = case$psi, binomial = case$p * (1 - case$p) / case$n, n = case$n)
  fit <- lm(psi ~ 0 + binomial, areas, weights = n^2 / binomial)
  list(design_effect = unname(coef(fit)), psi = unname(predict(fit, areas)))
}

arguments <- commandArgs(trailingOnly = TRUE)
input <- fromJSON(arguments[1], simplifyVector = TRUE, simplifyDataFrame = FALSE)
results <- if (length(input$smooth)) lapply(input$smooth, smooth) else lapply(input$cases, one)
writeLines(toJSON(results, digits = NA, auto_unbox = TRUE, null = "null"), arguments[2])
