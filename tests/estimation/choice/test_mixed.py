"""Mixed logit: published results with identical draws, the kernel against NumPy, theorems, recovery, refusals."""

import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import norm
from xlogit import MixedLogit

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import logit, mixed_logit
from welfare_analysis.estimation.choice.data import choices
from welfare_analysis.estimation.choice.kernel import BOUND, compiled
from welfare_analysis.estimation.choice.mixed import Simulated
from welfare_analysis.estimation.choice.simulation import Panel, differences, net, supplied

NAMES = ["pf", "cl", "loc", "wk", "tod", "seas"]
CONTRACTS = {
    "formula": "choice ~ pf + cl + loc + wk + tod + seas",
    "case": "chid",
    "alternative": "alt",
    "person": "id",
}
NORMAL = dict.fromkeys(NAMES, "normal")
PUBLISHED = np.array(  # R mlogit, its vignette of random parameters (100 Halton draws; version not recorded)
    [
        -0.9733844,
        -0.2055565,
        2.0757333,
        1.4756497,
        -9.0525423,
        -9.1037717,
        0.2199450,
        0.3783044,
        1.4829803,
        1.0000609,
        2.2894889,
        1.1808827,
    ]
)
TRIPS = {"formula": "chosen ~ time + gain", "case": "case", "alternative": "mode", "person": "id"}


@pytest.fixture(scope="module")
def electricity() -> pd.DataFrame:
    """4,308 choices of 361 people among four contracts for electricity."""
    return pd.read_csv(Path(__file__).parents[3] / "data" / "reference" / "electricity.csv.gz")


@pytest.fixture(scope="module")
def halton() -> np.ndarray:
    """The 100 Halton draws of xlogit for 361 persons and 6 normals."""
    model = MixedLogit()
    model._rvdist = ["n"] * 6
    return model._generate_draws(361, 100)


def trips(seed: int, n: int = 300, cases: int = 4, sd: float = 1.0, log: bool = False, towns: int = 30) -> pd.DataFrame:
    """Choices among three, with a time coefficient that varies by person and, by shares of 0.5, by town."""
    rng = np.random.default_rng(seed)
    town = np.arange(n) % towns
    z = np.sqrt(0.5) * rng.normal(size=n) + np.sqrt(0.5) * rng.normal(size=towns)[town]
    beta = np.exp(0.2 + sd * z) if log else -1 + sd * z
    x = rng.normal(size=(n, cases, 3, 2))
    v = beta[:, None, None] * x[..., 0] + 0.5 * x[..., 1] + rng.gumbel(size=(n, cases, 3))
    frame = pd.DataFrame(x.reshape(-1, 2), columns=["time", "gain"])
    person = np.repeat(np.arange(n), 3 * cases)
    frame["id"], frame["town"] = person, town[person]
    frame["case"], frame["mode"] = np.repeat(np.arange(n * cases), 3), np.tile(list("abc"), n * cases)
    return frame.assign(chosen=(v == v.max(axis=2, keepdims=True)).ravel())


def ragged(seed: int, K: int, p: int, draws, units: int = 30) -> Panel:
    """Units of 1 to 7 cases of 1 to 6 alternatives; some coefficients lognormal."""
    rng = np.random.default_rng(seed)
    cases = np.append(0, np.cumsum(rng.integers(1, 8, units)))
    rows = np.append(0, np.cumsum(rng.integers(0, 6, cases[-1])))
    log = rng.random(K) < 0.5
    return Panel(rng.normal(size=(rows[-1], p)), rows, cases, np.arange(units), log, draws)


def in_numpy(panel: Panel, mean: np.ndarray, sd: np.ndarray, fixed: np.ndarray, weights: np.ndarray) -> tuple:
    """What the kernel computes, in NumPy with all draws in memory."""
    p, K, z = panel.x.shape[1], len(mean), panel.draws.normals()
    beta = mean[:, None] + sd[:, None] * z
    beta[:, panel.log] = np.exp(beta[:, panel.log])
    case, unit = (np.repeat(np.arange(len(ends) - 1), np.diff(ends)) for ends in (panel.rows, panel.cases))
    by_case, by_unit = (
        sparse.csr_array((np.ones(len(of)), (of, np.arange(len(of)))), (len(ends) - 1, len(of)))
        for of, ends in ((case, panel.rows), (unit, panel.cases))
    )
    known = panel.x[:, K:] @ fixed
    e = np.exp(np.clip(known[:, None] + np.einsum("dk,dkr->dr", panel.x[:, :K], beta[unit[case]]), -BOUND, BOUND))
    total = 1 + by_case @ e
    logs = -(by_unit @ np.log(total))
    top = logs.max(axis=1, keepdims=True)
    likely = np.exp(logs - top)
    sums = likely.sum(axis=1, keepdims=True)
    share, omega = e / total[case], likely / sums

    by = np.zeros((len(top), p + K, p, z.shape[2]))  # derivative of the coefficients by the parameters
    by[:, range(p), range(p)] = 1
    by[:, range(K), range(K)] = np.where(panel.log[:, None], beta, 1)
    by[:, range(p, p + K), range(K)] = by[:, range(K), range(K)] * z
    averages = [by_case @ (column[:, None] * share) for column in panel.x.T]
    gradient = -np.einsum("utkr,kur->utr", by, np.array([by_unit @ average for average in averages]))
    curve = np.zeros((p + K, p + K))
    for k, one in enumerate(averages):
        for m, other in enumerate(averages):
            spread = by_unit @ (by_case @ ((panel.x[:, k] * panel.x[:, m])[:, None] * share) - one * other)
            curve += np.einsum("utr,usr,ur,u->ts", by[:, :, k], by[:, :, m], spread * omega, weights)
        if k < K and panel.log[k]:
            bend = (by_unit @ one) * omega / beta[:, k]
            curve += np.einsum("utr,usr,ur,u->ts", by[:, :, k], by[:, :, k], bend, weights)
    curve -= np.einsum("utr,usr,ur,u->ts", gradient, gradient, omega, weights)
    score = np.einsum("utr,ur->ut", gradient, omega)
    return top[:, 0] + np.log(sums[:, 0] / z.shape[2]), score, curve + (score * weights[:, None]).T @ score


@pytest.mark.parametrize(("K", "p", "count"), [(1, 1, 128), (3, 4, 256), (5, 9, 128), (6, 6, 1024)])
def test_kernel_is_its_numpy_version(K, p, count):
    """Log-likelihoods, scores, information of kernel and NumPy, ragged choices, log or not: to 1e-10."""
    rng = np.random.default_rng(K)
    panel, weights = ragged(K, K, p, net(K, count, 30, rng)), rng.uniform(1, 3, 30)
    at = rng.normal(0, 0.5, K), rng.normal(0, 0.5, K), rng.normal(0, 0.5, p - K)
    for one, other in zip(compiled(panel, *at, weights), in_numpy(panel, *at, weights), strict=True):
        assert one == pytest.approx(other, rel=1e-10, abs=1e-10 * np.abs(other).max())


def test_kernel_takes_draws_of_any_number():
    """Draws that the caller gives need not fill a block: 100 and 300 of them."""
    rng = np.random.default_rng(8)
    for count in (100, 300):
        panel = ragged(8, 3, 5, supplied(rng.normal(size=(30, 3, count)), 3, 30))
        at = np.full(3, 0.2), np.full(3, 0.7), np.full(2, -0.3)
        for one, other in zip(compiled(panel, *at, np.ones(30)), in_numpy(panel, *at, np.ones(30)), strict=True):
            assert one == pytest.approx(other, rel=1e-10, abs=1e-10)


def test_long_panels_do_not_underflow():
    """900 unlikely choices of one person: a probability of e**-2000 keeps its digits."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(4 * 900 * 5, 3))
    rows, units = np.arange(4 * 900 + 1) * 5, np.arange(5) * 900
    panel = Panel(x, rows, units, np.arange(4), np.zeros(3, bool), net(3, 256, 4, rng))
    at = np.full(3, 2.0), np.full(3, 3.0), np.empty(0), np.ones(4)
    found, expected = compiled(panel, *at), in_numpy(panel, *at)
    assert found[0].max() < -1000
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-10, abs=1e-10 * np.abs(other).max())


def test_draws_of_each_person_are_a_shifted_net():
    """One draw in each N-th of each dimension; the first digits differ from the net's by one XOR; persons differ."""
    draws = net(3, 256, 40, np.random.default_rng(2))
    cells = np.floor(norm.cdf(draws.normals()) * 256).astype(int)
    assert (np.sort(cells, axis=2) == np.arange(256)).all()
    base = np.floor(norm.cdf(draws.net) * 256).astype(int)
    moved = cells ^ base
    assert (moved == moved[:, :, :1]).all()
    assert len(np.unique(moved[:, 0, 0])) > 25
    strata = cells[:, 0] // 64 * 4 + cells[:, 1] // 64
    assert (np.array([np.bincount(s, minlength=16) for s in strata]) == 16).all()


def test_electricity_with_identical_draws(electricity, halton):
    """R mlogit's optimum to its seven digits, from its start; xlogit's log-likelihood -3952.487732."""
    fit = mixed_logit(None, electricity, **CONTRACTS, random=NORMAL, normals=halton, starts=PUBLISHED)
    assert fit.log_likelihood == pytest.approx(-3952.487732, abs=1e-6)
    assert np.abs(fit.value - PUBLISHED).max() < 3e-5
    assert (fit.cases.n_persons, fit.n_cases) == (361, 4308)
    assert fit.extra_covariance == {}
    assert fit.null_log_likelihood == pytest.approx(-4308 * np.log(4))
    assert fit.boundary == ()


def test_several_starts_find_the_better_mode(electricity, halton):
    """The same draws have an optimum 31.8 higher than the published one: found from the logit, by signs."""
    fit = mixed_logit(None, electricity, **CONTRACTS, random=NORMAL, normals=halton)
    assert fit.log_likelihood == pytest.approx(-3920.6654, abs=1e-4)
    assert fit.value.iloc[6:].round(2).tolist() == [0.21, 0.38, 1.68, 1.07, 2.41, 1.16]
    assert fit.runs["log_likelihood"].min() < fit.log_likelihood - 5


def test_xlogit_with_weights(electricity, halton):
    """Weights by person: estimates and log-likelihood of xlogit 0.2.7 on the same draws, both started from ours."""
    persons = electricity["id"].unique()
    weights = pd.Series(np.random.default_rng(3).uniform(0.5, 3, len(persons)), index=persons)
    ours = mixed_logit(Design(weights), electricity, **CONTRACTS, random=NORMAL, normals=halton, starts=PUBLISHED)
    model = MixedLogit()
    model.fit(
        X=electricity[NAMES],
        y=electricity["choice"],
        varnames=NAMES,
        alts=electricity["alt"],
        ids=electricity["chid"],
        panels=electricity["id"],
        randvars=dict.fromkeys(NAMES, "n"),
        weights=weights.loc[electricity["id"]].to_numpy() * len(persons) / weights.sum(),
        n_draws=100,
        init_coeff=ours.value.to_numpy(),
        skip_std_errs=True,
        verbose=0,
    )
    assert model.loglikelihood == pytest.approx(ours.log_likelihood * len(persons) / weights.sum(), abs=1e-4)
    assert model.coeff_ == pytest.approx(ours.value.to_numpy(), abs=2e-3)


def simulated(seed: int = 4, log: bool = False) -> tuple[Simulated, pd.DataFrame]:
    frame = trips(seed, n=60, log=log)
    cases = choices(None, frame, **TRIPS)
    draws = net(2, 128, 60, np.random.default_rng(seed))
    panel = differences(cases, np.array([1, 0]), np.array([False, log]), draws)
    return Simulated(panel, np.linspace(1, 2, 60), np.array([1, 0])), frame


@pytest.mark.parametrize("log", [False, True])
def test_gradient_is_the_slope(log):
    """Gradient = central differences of the simulated log-likelihood; information = those of the gradient."""
    model, _ = simulated(log=log)
    theta = np.array([0.3, 0.6, 0.4, -0.7])
    moves = 1e-5 * np.eye(4)
    slope = [(model(theta + m).value - model(theta - m).value) / 2e-5 for m in moves]
    assert model(theta).gradient == pytest.approx(np.array(slope), abs=1e-6)
    assert model.weights @ model(theta).scores == pytest.approx(model(theta).gradient)
    curve = [(model(theta - m).gradient - model(theta + m).gradient) / 2e-5 for m in moves]
    assert model(theta).information == pytest.approx(np.array(curve), abs=1e-4)


def test_without_variance_it_is_the_logit():
    """At standard deviations of zero, log-likelihood, scores, probabilities and logsums are those of the logit."""
    model, frame = simulated()
    design = Design(pd.Series(model.weights, index=range(60)))
    plain_fit = logit(design, frame, **TRIPS)
    at = model(np.append(plain_fit.value, [0.0, 0.0]))
    assert at.value == pytest.approx(plain_fit.log_likelihood, rel=1e-12)
    assert at.scores[:, :2] == pytest.approx(plain_fit.scores, abs=1e-12)
    fit = mixed_logit(design, frame, **TRIPS, random={"time": "normal"}, draws=128, seeds=2)
    for ours, theirs in zip(fit.predict(theta=np.append(plain_fit.value, 0.0)), plain_fit.predict(), strict=True):
        assert ours == pytest.approx(theirs)


def test_probabilities_are_means_over_draws():
    """Probabilities add to one in a case; cases of one are predicted as the exponent of their log-likelihood."""
    frame = trips(5, n=80, cases=1)
    fit = mixed_logit(None, frame, **TRIPS, random={"time": "normal", "gain": "lognormal"}, draws=256, seeds=2)
    share, logsum = fit.predict()
    assert np.add.reduceat(share, fit.cases.start) == pytest.approx(np.ones(80))
    assert np.log(share[fit.cases.chosen]).sum() == pytest.approx(fit.log_likelihood, rel=1e-10)
    moved = replace(fit, cases=replace(fit.cases, x=fit.cases.x + 1e-5 * np.array([1.0, 0.0])))
    assert (moved.predict()[1] - logsum).mean() == pytest.approx(1e-5 * fit.value["time"], abs=2e-6)


def test_weights_of_one_and_order_of_rows():
    """Weights of one give what no design gives; the order of the rows, and of the design's, changes nothing."""
    frame, kwargs = trips(6, n=120), {**TRIPS, "random": {"time": "normal"}, "draws": 128, "seeds": 2}
    fit = mixed_logit(None, frame, **kwargs)
    one = mixed_logit(Design(pd.Series(1.0, index=range(120))), frame, **kwargs)
    order = np.random.default_rng(0).permutation(len(frame))
    mixed = mixed_logit(None, frame.iloc[order], **kwargs)
    for other in (one, mixed):
        assert other.value.to_numpy() == pytest.approx(fit.value.to_numpy(), abs=1e-6)
        assert other.se.to_numpy() == pytest.approx(fit.se.to_numpy(), rel=1e-4)


def test_a_person_twice_is_a_weight_of_two():
    """With the same draws and one sampling unit: the same estimates and standard errors."""
    frame = trips(7, n=100)
    z = np.random.default_rng(7).normal(size=(100, 1, 128))
    twice = pd.concat([frame, frame.assign(id=frame["id"] + 100, case=frame["case"] + 400)])
    kwargs = {**TRIPS, "random": {"time": "normal"}, "starts": 1}
    weight = mixed_logit(Design(pd.Series(2.0, index=range(100))), frame, **kwargs, normals=z)
    design = Design(pd.Series(1.0, index=range(200)), psu=np.tile(np.arange(100), 2))
    double = mixed_logit(design, twice, **kwargs, normals=np.concatenate([z, z]))
    assert double.value.to_numpy() == pytest.approx(weight.value.to_numpy(), abs=1e-8)
    assert double.se.to_numpy() == pytest.approx(weight.se.to_numpy(), rel=1e-6)
    assert double.log_likelihood == pytest.approx(weight.log_likelihood)


def test_influence_is_the_slope_by_weight():
    """The influence of a person is the derivative of the estimates by her weight."""
    frame = trips(8, n=80)
    z = np.random.default_rng(8).normal(size=(80, 1, 128))
    weights = pd.Series(np.linspace(1, 2, 80), index=range(80))

    def values(w):
        return mixed_logit(Design(w), frame, **TRIPS, random={"time": "normal"}, normals=z, starts=1)

    fit, move = values(weights), 1e-4 * (weights.index == 5)
    slope = (values(weights + move).value - values(weights - move).value) / 2e-4
    assert fit.influence.toarray()[5] == pytest.approx(slope.to_numpy(), rel=1e-4, abs=1e-7)


def test_spread_over_scrambles_is_in_the_covariance():
    """The covariance is the design's and, added, that of the estimates over scrambles; more draws make it smaller."""
    frame, kwargs = trips(9, n=150), {**TRIPS, "random": {"time": "normal"}, "seeds": 4}
    few, many = (mixed_logit(None, frame, **kwargs, draws=draws) for draws in (128, 2048))
    extra = few.extra_covariance["simulation"]
    assert few.runs["scramble"].tolist() == [0, 0, 1, 2, 3]
    assert few.covariance().to_numpy() == pytest.approx(few.design.covariance(few.influence) + extra)
    assert 0 < many.extra_covariance["simulation"][-1, -1] < extra[-1, -1]
    assert few.covariance("hessian").shape == few.covariance("robust").shape == (3, 3)


def test_recovery_with_nominal_coverage():
    """Clustered samples: 95 % intervals of the design cover all coefficients; those of the Hessian miss the mean."""
    truth, hits, naive = np.array([-1.0, 0.5, 1.0]), [], []
    for seed in range(30):
        frame = trips(100 + seed, n=200, cases=3, towns=20)
        design = Design(pd.Series(1.0, index=range(200)), psu=np.arange(200) % 20)
        fit = mixed_logit(design, frame, **TRIPS, random={"time": "normal"}, draws=128, seeds=2, starts=1)
        bounds = fit.interval()
        hits.append((bounds["low"] <= truth) & (truth <= bounds["high"]))
        narrow = 1.96 * np.sqrt(np.diagonal(fit.covariance("hessian")))
        naive.append(np.abs(fit.value.to_numpy() - truth) <= narrow)
    assert (np.mean(hits, axis=0) >= 0.85).all()
    assert np.mean(naive, axis=0)[0] < 0.85


def test_lognormal_is_recovered():
    """Mean and standard deviation of the log of a positive coefficient, within three standard errors; named so."""
    frame = trips(11, n=1000, sd=0.8, log=True, towns=1000)
    fit = mixed_logit(None, frame, **TRIPS, random={"time": "lognormal"}, draws=256, seeds=2)
    assert fit.value.index.tolist() == ["log.time", "gain", "sd.log.time"]
    assert (np.abs(fit.value - [0.2, 0.5, 0.8]) < 3 * fit.se).all()
    assert fit.random == {"time": "lognormal"}


def test_no_variance_is_at_the_boundary():
    """Choices by a logit: the interval of the deviation is marked not valid, and its standard error is not zero."""
    for seed in (16, 17):
        fit = mixed_logit(None, trips(seed, sd=0.0), **TRIPS, random={"time": "normal"}, draws=128, seeds=2)
        assert fit.boundary == ("sd.time",)
        assert fit.interval()["valid"].tolist() == [True, True, False]
        assert fit.se["sd.time"] > 0.05


def test_a_lognormal_of_the_wrong_sign_is_refused():
    """A coefficient that the logit finds negative: the error says to multiply by minus one, and that works."""
    frame, kwargs = trips(13), {**TRIPS, "draws": 128, "seeds": 2}
    with pytest.raises(WelfareError, match=r"negative.*I\(-time\)"):
        mixed_logit(None, frame, **kwargs, random={"time": "lognormal"})
    turned = {**kwargs, "formula": "chosen ~ I(-time) + gain"}
    fit = mixed_logit(None, frame, **turned, random={"I(-time)": "lognormal"})
    assert fit.value.index[0] == "log.I(-time)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"random": {"speed": "normal"}}, "no such attribute"),
        ({"random": {}}, "no such attribute"),
        ({"random": {"time": "uniform"}}, "unknown distribution"),
        ({"draws": 500}, "power of two"),
        ({"draws": 64}, "power of two"),
        ({"seeds": 1}, "no spread"),
        ({"normals": np.zeros((3, 1, 100))}, "normals"),
    ],
)
def test_what_is_refused(change, message):
    """Names, distributions, numbers of draws and scrambles, draws of another shape."""
    with pytest.raises(WelfareError, match=message):
        mixed_logit(None, trips(14, n=20), **TRIPS, **{"random": {"time": "normal"}, **change})


def test_no_convergence_is_an_error():
    """One case a person tells no variance of every coefficient: that is said, never returned."""
    frame = trips(15, n=40, cases=1)
    z = np.ones((40, 2, 1))  # one draw: mean and standard deviation are one coefficient
    with pytest.raises(WelfareError, match="did not converge"):
        mixed_logit(None, frame, **TRIPS, random={"time": "normal", "gain": "normal"}, normals=z, starts=1)


def test_compilers_are_not_loaded_by_an_import():
    """The package of estimation imports no numba: only those who simulate wait for it."""
    code = "import sys, welfare_analysis.estimation.choice.mixed; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_all_signs_are_modes():
    """Draws times signs with standard deviations times signs are the same model: what lets the fit give sizes."""
    model, _ = simulated()
    theta = np.array([0.3, 0.6, 0.4, 0.7])
    for signs in product((1.0, -1.0), repeat=2):
        panel = replace(model.panel, draws=model.panel.draws.mirrored(np.array(signs)))
        mirrored = replace(model, panel=panel)
        assert mirrored(theta * [1, 1, *signs]).value == pytest.approx(model(theta).value, rel=1e-13)
