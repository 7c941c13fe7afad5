"""Against R: what `evaluate` gives beside R's survival, pROC, riskRegression and cmprsk, on simulated patients.

    python benchmarks/against_r.py

Times are tied, in whole months, but where standard errors at a horizon are compared: of ties riskRegression takes
derivatives of its weights otherwise. Needs Rscript with these (Debian: r-cran-survival, r-cran-proc,
r-cran-riskregression, r-cran-cmprsk); without Rscript it says so and ends. Prints each statistic of both and their
difference; ends with an error where one is above 1e-6, but for those of OTHERWISE, of which it says why they differ.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from hepatica.evaluate import (
    CumulativeIncidence,
    at_horizon,
    auroc,
    brier,
    calibration_intercept,
    calibration_slope,
    compare_auroc,
    cox,
    cumulative_incidence,
    fine_gray,
    kaplan_meier,
    log_rank_p,
)
from hepatica.evaluate.binary.discrimination import _difference as auroc_and_variance
from hepatica.evaluate.binary.discrimination import auroc_variance, placements
from hepatica.evaluate.intervals import Z, sum_variance
from hepatica.evaluate.patients import Patients
from hepatica.evaluate.survival.concordance import comparable_pairs

LARGEST = 1e-6
HORIZON, BETWEEN = 12.0, 12.5
"""Months; riskRegression is asked between two, because it takes those censored at the horizon for unknown."""

OTHERWISE = {
    "cmprsk_incidence_se": "ours is the infinitesimal jackknife, as in survfit; cmprsk's is Aalen's",
    "cmprsk_fine_gray_se": "ours takes the weights for known, as in coxph with finegray; crr adds what G adds",
}
"""What is defined otherwise, and why."""

SCRIPT = r"""
suppressMessages({library(survival); library(pROC); library(riskRegression); library(cmprsk)})
d <- read.csv(commandArgs(TRUE)[1]); y <- d$event == 1; say <- function(n, v) cat(n, sprintf("%.12g", v), "\n")
f <- coxph(Surv(time, y) ~ marker + age, d, control=suppressWarnings(coxph.control(eps=1e-14, iter.max=60)))
say("cox_marker", coef(f)[1]); say("cox_se", sqrt(vcov(f)[1, 1]))
z <- cox.zph(f)$table; say("zph_marker", z[1, 3]); say("zph_age", z[2, 3])
s <- summary(survfit(Surv(time, y) ~ 1, d, conf.type="log-log"), times=12)
say("km", s$surv); say("km_low", s$lower); say("km_high", s$upper)
say("log_rank", pchisq(survdiff(Surv(time, y) ~ high, d)$chisq, 1, lower.tail=FALSE))
k <- concordance(Surv(time, y) ~ risk, d, reverse=TRUE); say("c_index", k$concordance); say("c_variance", k$var)
a <- summary(survfit(Surv(time, factor(event)) ~ 1, d), times=12); say("incidence", a$pstate[1, 2])
g <- finegray(Surv(time, factor(event)) ~ ., d, id=id, etype="1")
w <- coxph(Surv(fgstart, fgstop, fgstatus) ~ marker, g, weights=fgwt, cluster=id,
           control=suppressWarnings(coxph.control(eps=1e-14, iter.max=60)))
say("fine_gray", coef(w)[1])
say("auroc", auc(d$label, d$risk, quiet=TRUE, direction="<")); r <- roc(d$label, d$risk, quiet=TRUE, direction="<")
say("auroc_variance", var(r)); o <- roc(d$label, d$other, quiet=TRUE, direction="<")
say("auroc_p", roc.test(r, o, paired=TRUE, method="delong")$p.value)
tight <- glm.control(epsilon=1e-14, maxit=100); lp <- qlogis(d$risk)
say("intercept", coef(glm(d$label ~ 1, offset=lp, family=binomial, control=tight)))
say("slope", coef(glm(d$label ~ lp, family=binomial, control=tight))[2])
later <- d$time + 1e-6 * (d$event == 0)  # of equal times, events come before censoring
cens <- survfit(Surv(pmin(later, 12), event == 0 & time < 12) ~ 1, d)
gof <- function(t) { i <- findInterval(t, cens$time, left.open=TRUE); c(1, cens$surv)[i + 1] }
known <- d$event > 0 | d$time >= 12; ipcw <- ifelse(known, 1 / gof(pmin(d$time, 12)), 0)
came <- d$event == 1 & d$time <= 12
say("brier_weighted", sum(ipcw * (d$risk - came)^2) / nrow(d))
quiet <- suppressWarnings; say("intercept_weighted",
  coef(quiet(glm(came ~ 1, offset=lp, family=binomial, weights=ipcw, control=tight))))
say("slope_weighted", coef(quiet(glm(came ~ lp, family=binomial, weights=ipcw, control=tight)))[2])
s <- Score(list(m=d$risk), formula=Hist(time, event) ~ 1, data=d, times=12.5, cens.model="km", null.model=FALSE,
           metrics=c("auc", "brier"), conf.int=FALSE)
say("rr_auc", s$AUC$score$AUC); say("rr_brier", s$Brier$score$Brier)
e <- Score(list(m=d$risk), formula=Hist(exact, event) ~ 1, data=d, times=12.5, cens.model="km", null.model=FALSE,
           metrics=c("auc", "brier"), conf.int=TRUE)
say("rr_auc_untied", e$AUC$score$AUC); say("rr_auc_se", e$AUC$score$se)
say("rr_brier_untied", e$Brier$score$Brier); say("rr_brier_se", e$Brier$score$se)
b <- Score(list(m=d$risk), formula=Surv(time, came1) ~ 1, data=transform(d, came1=event == 1), times=12.5,
           cens.model="km", null.model=FALSE, metrics=c("auc", "brier"), conf.int=FALSE)
say("rr_auc_alone", b$AUC$score$AUC); say("rr_brier_alone", b$Brier$score$Brier)
i <- timepoints(cuminc(d$time, d$event), 12); say("cmprsk_incidence", i$est["1 1", 1])
say("cmprsk_incidence_se", sqrt(i$var["1 1", 1]))
x <- crr(d$exact, d$event, cov1=cbind(d$marker), gtol=1e-12); say("cmprsk_fine_gray", x$coef)
say("cmprsk_fine_gray_se", sqrt(x$var[1, 1]))
"""


def patients(n: int = 300, seed: int = 1) -> pd.DataFrame:
    """Follow-up in whole months, with competing events, and a diagnosis."""
    rng = np.random.default_rng(seed)
    marker, age = rng.normal(size=n), rng.normal(size=n).round(1)
    risk = expit(marker.round(2) - 0.5)
    happens = 18 * rng.exponential(np.exp(-0.7 * marker - 0.2 * age))
    other, ends = rng.exponential(60, n), rng.uniform(4, 40, n)
    time = np.ceil(np.min([happens, other, ends], axis=0))
    event = np.where(happens <= np.minimum(other, ends), 1, np.where(other <= ends, 2, 0))
    columns = {"id": np.arange(n), "time": time, "event": event, "marker": marker, "age": age, "risk": risk}
    columns |= {"high": (marker > 0).astype(int), "label": rng.random(n) < risk, "other": rng.random(n).round(2)}
    columns |= {"exact": np.min([happens, other, ends], axis=0)}
    return pd.DataFrame(columns).astype({"label": int})


def ours(table: pd.DataFrame) -> dict[str, float]:
    """The same statistics by hepatica; variances without the factor k / (k - 1) that ours have, where R has none."""
    time, code, label, risk = (table[name].to_numpy() for name in ("time", "event", "label", "risk"))
    event, n = code == 1, len(table)
    fit = cox(table[["marker", "age"]], time=time, event=event)
    marker = fit["marker"].ratio
    free = kaplan_meier(time, event=event).survival_at(HORIZON)
    pairs = comparable_pairs(time, event=event, score=risk)
    outcome = at_horizon(time, event=code, horizon=HORIZON)
    placed = placements(label == 1, risk)
    between = at_horizon(time, event=code, horizon=BETWEEN)
    alone = at_horizon(time, event=event.astype(int), horizon=BETWEEN)
    untied = at_horizon(table["exact"], event=code, horizon=BETWEEN)
    incidence = cumulative_incidence(time, event=code)
    exact = fine_gray(table[["marker"]], time=table["exact"], event=code)["marker"].ratio
    return {
        "cox_marker": np.log(marker.value),
        "cox_se": np.log(marker.high / marker.low) / 2 / Z,
        "zph_marker": fit["marker"].changes_p,
        "zph_age": fit["age"].changes_p,
        "km": free.value,
        "km_low": free.low,
        "km_high": free.high,
        "log_rank": log_rank_p(time, event=event, group=table["high"]).value,
        "c_index": pairs.c_index,
        "c_variance": sum_variance(pairs.influence) * (n - 1) / n,
        "incidence": incidence.at(HORIZON).value,
        "fine_gray": np.log(fine_gray(table[["marker"]], time=time, event=code)["marker"].ratio.value),
        "auroc": auroc(label, score=risk).value,
        "auroc_variance": auroc_variance(label == 1, placed, Patients(count=n)),
        "auroc_p": compare_auroc(label, score_a=risk, score_b=table["other"]).p,
        "intercept": calibration_intercept(label, score=risk).value,
        "slope": calibration_slope(label, score=risk).value,
        "brier_weighted": brier(outcome, score=risk).value,
        "intercept_weighted": calibration_intercept(outcome, score=risk).value,
        "slope_weighted": calibration_slope(outcome, score=risk).value,
        "rr_auc": auroc(between, score=risk).value,
        "rr_brier": brier(between, score=risk).value,
        "rr_auc_untied": auroc(untied, score=risk).value,
        "rr_auc_se": np.sqrt(auroc_and_variance(untied, risk)[1]),
        "rr_brier_untied": brier(untied, score=risk).value,
        "rr_brier_se": np.sqrt(untied.ratio((risk - untied.event) ** 2, of=np.ones(n))[1]),
        "rr_auc_alone": auroc(alone, score=risk).value,
        "rr_brier_alone": brier(alone, score=risk).value,
        "cmprsk_incidence": incidence.at(HORIZON).value,
        "cmprsk_incidence_se": incidence_se(incidence, HORIZON),
        "cmprsk_fine_gray": np.log(exact.value),
        "cmprsk_fine_gray_se": np.log(exact.high / exact.low) / 2 / Z,
    }


def incidence_se(found: CumulativeIncidence, horizon: float) -> float:
    """By the limits, which are symmetric on the log(-log) scale."""
    at = found.at(horizon)
    upper, lower = (np.log(-np.log(each)) for each in (at.low, at.high))
    return float((upper - lower) / 2 / Z * abs(at.value * np.log(at.value)))


def theirs(table: pd.DataFrame) -> dict[str, float]:
    """Those of R."""
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder, "against.R"), Path(folder, "patients.csv")
        script.write_text(SCRIPT)
        table.to_csv(data, index=False)
        said = subprocess.run(["Rscript", script, data], capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in (line.split() for line in said.splitlines())}


if __name__ == "__main__":
    if shutil.which("Rscript") is None:
        sys.exit("skipped: there is no Rscript here")
    table = patients()
    assert np.isfinite(logit(table["risk"])).all()
    found, wanted = ours(table), theirs(table)
    apart = {name: abs(found[name] - wanted[name]) for name in wanted}
    for name, difference in apart.items():
        print(f"{name:20} {found[name]:.9g} {wanted[name]:.9g} {difference:.1e} {OTHERWISE.get(name, '')}")
    worst = max(difference for name, difference in apart.items() if name not in OTHERWISE)
    print(f"largest difference {worst:.1e}")
    sys.exit(worst > LARGEST)
