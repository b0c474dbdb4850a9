r"""Latent classes: groups of people who answer a set of questions alike, with the covariance of the design.

With shares :math:`\rho_k` of K classes and probabilities :math:`\pi_{kjc}` of answer c to question j, the
pseudo-log-likelihood of answers that are independent within a class is

.. math:: \ell = \sum_i w_i \log \sum_k \rho_k \prod_j \pi_{k j x_{ij}}

over the questions that i answered: others are taken as missing at random (Goodman 1974; Linzer and Lewis 2011; with
weights Patterson, Dayton and Graubard 2002). It has several maxima: EM runs from many starts, and Newton's method
finishes the best. A probability that goes to 0 or 1 is fixed there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, special

from ..errors import WelfareError
from .columns import aligned, positive
from .design import Design
from .estimate import Estimate
from .fit import Fit, Likelihood, estimated, maximise
from .intervals import logit_bounds
from .joint import joint
from .means import shared_rows
from .rerun import repeated
from .shares import share

EDGE = 1e-6  # a probability nearer than this to 0 or 1 is there
STEPS, LOOSE, TIGHT = 5000, 1e-7, 1e-10  # of EM: most steps, and what the last one gains in parts of the weight
SAME = 1e-5  # two ends of EM whose log-likelihoods differ by less, in parts of the weight, are one
TRIED = 3000  # patterns of answers on which starts are tried
TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Patterns:
    """Different patterns of answers: marks (patterns x answers) and their weight; ``item`` (answers,) of each answer.

    ``of`` (n,) is the pattern of a row of the design, -1 of a row that is not used; ``first`` (J,) where items begin.
    """

    marks: np.ndarray
    weight: np.ndarray
    of: np.ndarray
    item: np.ndarray
    first: np.ndarray
    labels: pd.MultiIndex

    def posterior(self, shares: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, float]:
        """Probabilities of the classes (patterns x K) by Bayes' rule, and the log-likelihood."""
        known = np.log(np.maximum(answers, TINY)).T @ self.marks.T  # a row a class: few long rows, not many short ones
        logs = known + np.log(np.maximum(shares, TINY))[:, None]
        top = logs.max(axis=0)
        parts = np.exp(logs - top)
        total = parts.sum(axis=0)
        return (parts / total).T, float(self.weight @ (top + np.log(total)))

    def step(self, point: np.ndarray) -> tuple[np.ndarray, float]:
        """One step of EM from shares (the first row of ``point``) and answers, and the log-likelihood before it."""
        classes, value = self.posterior(point[0], point[1:])
        weighed = classes * self.weight[:, None]
        counts = self.marks.T @ weighed
        sums = np.add.reduceat(counts, self.first)[self.item]
        answers = np.divide(counts, sums, out=point[1:].copy(), where=sums > 0)
        return np.vstack([weighed.sum(axis=0) / self.weight.sum(), answers]), value

    def em(self, point: np.ndarray, gain: float) -> tuple[np.ndarray, float]:
        """Where EM gains no more than ``gain`` a weight, and the log-likelihood there.

        Two steps tell how far to go on (Varadhan and Roland 2008, "S3"); what then loses is taken back.
        """
        size, last, safe = self.weight.sum(), -np.inf, point
        for _ in range(STEPS):
            one, now = self.step(point)
            if now < last:
                point, last = safe, -np.inf
                one, now = self.step(point)
            if now - last <= gain * size:
                break
            last, (safe, _) = now, self.step(one)
            moved, bent = one - point, safe - 2 * one + point
            reach = max(float(np.linalg.norm(moved)) / max(float(np.linalg.norm(bent)), TINY), 1.0)
            far = point + 2 * reach * moved + reach**2 * bent
            point = far if (far >= 0).all() else safe
        return point, now

    def best(self, classes: int, starts: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
        """The best end of EM, classes by size, and how many starts reached it."""
        apart = max(len(self.weight) // TRIED, 1)
        tried, ends = replace(self, marks=self.marks[::apart], weight=self.weight[::apart]), []
        for _ in range(starts):
            drawn = rng.standard_exponential((len(self.item), classes))
            drawn /= np.add.reduceat(drawn, self.first)[self.item]
            ends.append(tried.em(np.vstack([np.full(classes, 1 / classes), drawn]), LOOSE))
        values = np.array([value for _, value in ends])
        point, _ = self.em(ends[int(values.argmax())][0], TIGHT if apart == 1 else LOOSE)
        point = point[:, np.argsort(-point[0], kind="stable")]
        return point[0], point[1:], int((values >= values.max() - SAME * tried.weight.sum()).sum())

    def likelihood(self, theta: np.ndarray, form: Form) -> Likelihood:
        """The likelihood by logits of shares and answers, with the observed information (Louis 1982)."""
        shares, answers = form.probabilities(theta)
        classes, value = self.posterior(shares, answers)
        asked = np.add.reduceat(self.marks, self.first, axis=1)[:, self.item]
        K, p = len(shares), len(theta)
        scores, information = np.empty((len(classes), p)), np.zeros((p, p))
        scores[:, : K - 1] = classes[:, 1:] - shares[1:]
        size, ends = self.weight @ classes, form.ends
        apart = np.eye(K)[:, 1:] - shares[1:]
        head = slice(K - 1)
        information[head, head] = size.sum() * (np.diag(shares[1:]) - np.outer(shares[1:], shares[1:]))
        for k in range(K):
            own, at = form.free[:, k], slice(ends[k], ends[k + 1])
            pi, weighed = answers[own, k], self.weight * classes[:, k]
            moved = self.marks[:, own] - asked[:, own] * pi
            scores[:, at] = moved * classes[:, [k]]
            same = self.item[own][:, None] == self.item[own]
            known = (weighed @ asked[:, own])[:, None] * (np.diag(pi) - same * np.outer(pi, pi))
            information[at, at] = known - (moved * weighed[:, None]).T @ moved
            cross = np.outer(apart[k], weighed @ moved)
            information[head, head] -= size[k] * np.outer(apart[k], apart[k])
            information[head, at], information[at, head] = -cross, -cross.T
        information += (scores * self.weight[:, None]).T @ scores
        return Likelihood(value, self.weight @ scores, information, scores)


@dataclass(frozen=True, eq=False)
class Form:
    """How probabilities are logits: answers (answers x K) that are ``free``, those that are 0, and a base an item."""

    free: np.ndarray
    zero: np.ndarray
    item: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, answers: np.ndarray, item: np.ndarray, first: np.ndarray) -> Form:
        """The form of probabilities: the likeliest answer of an item is the base."""
        free = answers > EDGE
        for j in range(len(first)):
            rows = np.flatnonzero(item == j)
            free[rows[answers[rows].argmax(axis=0)], np.arange(answers.shape[1])] = False
        return cls(free, answers <= EDGE, item, first)

    @property
    def ends(self) -> np.ndarray:
        """Where the logits of each class begin."""
        K = self.free.shape[1]
        return K - 1 + np.concatenate([[0], np.cumsum(self.free.sum(axis=0))])

    def logits(self, shares: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Logits against the first class, then class by class against the base."""
        base = np.where(self.free | self.zero, 0.0, answers)
        odds = answers / np.add.reduceat(base, self.first)[self.item]
        return np.concatenate([np.log(shares[1:] / shares[0]), np.log(odds.T[self.free.T])])

    def probabilities(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares (K,) and answers (answers x K)."""
        odds = np.where(self.zero, 0.0, 1.0)
        odds.T[self.free.T] = np.exp(theta[self.ends[0] :])
        shares = special.softmax(np.concatenate([[0.0], theta[: self.ends[0]]]))
        return shares, odds / np.add.reduceat(odds, self.first)[self.item]


@dataclass(frozen=True, eq=False)
class LatentClasses(Fit):
    """Classes "1", "2", ... by size, as logits of shares and answers; ``reached`` of ``starts`` ended at this mode."""

    patterns: Patterns = field(default=None, repr=False)  # type: ignore[assignment]
    form: Form = field(default=None, repr=False)  # type: ignore[assignment]
    starts: int = 0
    reached: int = 0

    @property
    def names(self) -> pd.Index:
        """Names of the classes."""
        return pd.Index([str(k + 1) for k in range(self.form.free.shape[1])], name="class")

    def posterior(self, theta: np.ndarray | None = None) -> pd.DataFrame:
        """Probability of each class given the answers (n x K), nan of rows that are not used."""
        at = self.value.to_numpy() if theta is None else theta
        classes = self.patterns.posterior(*self.form.probabilities(at))[0]
        rows = np.where(self.rows[:, None], classes[self.patterns.of], np.nan)
        return pd.DataFrame(rows, index=self.design.index, columns=self.names)

    def assigned(self, theta: np.ndarray | None = None) -> pd.Series:
        """The likeliest class of each row; missing of rows that are not used."""
        likeliest = self.names.to_numpy()[self.posterior(theta).fillna(0.0).to_numpy().argmax(axis=1)]
        return pd.Series(likeliest, index=self.design.index, name="class", dtype=object).where(self.rows, None)

    def shares(self) -> Estimate:
        """Share of each class."""
        rho = self.form.probabilities(self.value.to_numpy())[0]
        jacobian = np.zeros((len(rho), len(self.value)))
        jacobian[:, : len(rho) - 1] = (np.diag(rho) - np.outer(rho, rho))[:, 1:]
        return self._of(rho, jacobian, self.names, np.zeros(len(rho)))

    def answers(self) -> Estimate:
        """Probability of each answer in each class, by (item, answer, class).

        One of exactly 0 or 1 has the variance of the posterior of none in as many respondents as the class has.
        """
        pi, free = self.form.probabilities(self.value.to_numpy())[1], self.form.free
        same = self.form.item[:, None] == self.form.item
        jacobian = np.zeros((*pi.shape, len(self.value)))
        for k, (start, end) in enumerate(zip(self.form.ends, self.form.ends[1:], strict=False)):
            slopes = pi[:, k, None] * (np.eye(len(pi)) - same * pi[:, k])
            jacobian[:, k, start:end] = slopes[:, free[:, k]]
        m = np.broadcast_to(self.posterior().sum().to_numpy(), pi.shape)
        edge = np.where((pi <= 0) | (pi >= 1), (m + 1) / ((m + 2) ** 2 * (m + 3)), 0.0)
        names = [(*label, k) for label in self.patterns.labels for k in self.names]
        index = pd.MultiIndex.from_tuples(names, names=["item", "answer", "class"])
        return self._of(pi.ravel(), jacobian.reshape(-1, len(self.value)), index, edge.ravel())

    def _of(self, values: np.ndarray, jacobian: np.ndarray, index: pd.Index, edge: np.ndarray) -> Estimate:
        made = self.apply(lambda _: pd.Series(values, index=index), jacobian)
        extra = {**made.extra_covariance, "not estimable": sparse.diags_array(edge)} if edge.any() else {}
        return replace(made, bounds=logit_bounds, extra_covariance=extra or made.extra_covariance)

    def bic(self) -> float:
        r"""BIC of the design: :math:`-2\ell + \mathrm{tr}\,\Delta \log n`, with weights scaled to a mean of 1.

        The sum of the generalised design effects takes the place of the number of parameters, as in the AIC of Lumley
        and Scott (2015, section 2); their own BIC is of nested models, which fewer classes are not.
        """
        return float(-2 * self.log_likelihood / self.scale + self.effects().sum() * np.log(self.n_rows))

    def error(self) -> float:
        """Weighted share whose likeliest class is expected to be wrong."""
        w, known = self.design.weights[self.rows], self.posterior()[self.rows].to_numpy()
        return float(1 - w @ known.max(axis=1) / w.sum())

    def classified(self) -> Estimate:
        r"""Probability :math:`D_{ks}` that a member of class k is assigned to s, by (class, assigned)."""
        known = self.posterior().fillna(0.0).to_numpy()
        to = (self.assigned().to_numpy()[:, None] == self.names.to_numpy()).astype(float)
        w, K = self.design.weights * self.rows, known.shape[1]
        size = w @ known
        D = (known * w[:, None]).T @ to / size[:, None]
        starts, direct, moved = self.form.ends, [], []
        share_score = np.eye(K)[:, 1:] - self.shares().value.to_numpy()[1:]
        for k in range(K):
            gap = to - D[k]
            weighed = (gap * (w * known[:, k])[:, None]).T
            own = np.zeros_like(self.scores)  # score of the complete data: class k is known
            inside = slice(starts[k], starts[k + 1])
            own[:, inside] = np.divide(self.scores[:, inside], known[:, [k]], out=own[:, inside],
                                       where=known[:, [k]] > TINY)  # fmt: skip
            own[:, : K - 1] = share_score[k]
            moved.append(weighed @ (own - self.scores) / size[k])
            direct.append(gap * known[:, [k]] / size[k])
        G, z = np.vstack(moved), np.hstack(direct)
        index = pd.MultiIndex.from_product([self.names, self.names], names=["class", "assigned"])
        fit = self.apply(lambda _: pd.Series(D.ravel(), index=index), G)
        return replace(fit, compute=lambda: sparse.csr_array(z + self.influence @ G.T), push=None)

    def membership(self, by: pd.Series) -> Estimate:
        r"""Share of each class in groups, by (class, group): three-step, corrected for wrong classes.

        Shares of the likeliest class are mixed by :math:`D`, so those of the classes are :math:`a_g D^{-1}` (Bolck,
        Croon and Hagenaars 2004; Vermunt 2010, "BCH"); D's own error goes with them.
        """
        where = self.rows & pd.notna(by).to_numpy()
        assigned = share(self.design, self.assigned().where(where, None), by=by, where=where)
        K, groups = len(self.names), assigned.value.index.get_level_values(1).unique()
        if len(assigned.value) != K * len(groups):
            hint = "Ask for fewer classes."
            raise WelfareError("nobody is assigned to a class", where="membership", expected="all classes", hint=hint)
        index = assigned.value.index.set_names(["class", assigned.value.index.names[1]])

        def corrected(v: pd.Series) -> pd.Series:
            a = v["assigned"].to_numpy().reshape(K, -1)
            return pd.Series(np.linalg.solve(v["D"].to_numpy().reshape(K, K).T, a).ravel(), index=index)

        flat = {"assigned": _flat(assigned), "D": _flat(self.classified())}
        made = joint(flat).apply(corrected)
        return replace(made, counts=assigned.counts.set_axis(index), df=assigned.df.set_axis(index))


def _flat(estimate: Estimate) -> Estimate:
    """The same with numbers for names."""
    k = len(estimate.value)
    return estimate.apply(lambda v: pd.Series(v.to_numpy()), sparse.eye_array(k))


def latent_classes(
    design: Design,
    items: pd.DataFrame,
    classes: int,
    starts: int = 20,
    where: Any = None,
    rng: np.random.Generator | None = None,
    mode: LatentClasses | None = None,
) -> LatentClasses:
    """Fit latent classes to answers.

    Parameters
    ----------
    items : DataFrame (n x J)
        A column a question of any type; a missing answer is skipped.
    classes : int
        One (answers that are independent) or more.
    starts : int
        Starts of EM, drawn by ``rng`` (the same ones where none is given). With more than `TRIED` patterns of answers
        they are tried on a part of them, and the best is finished on all.
    where : boolean mask (n,), optional
        The rows that the fit speaks of.
    mode : LatentClasses, optional
        Of the same items: Newton's method from there is all that is done, as with replicate weights.

    Raises
    ------
    WelfareError
        No class; no item, or none that somebody answered; negative weights; answers that do not tell as
        many classes apart, as where one has no members.
    """
    if classes < 1 or starts < 1:
        got = (classes, starts)
        raise WelfareError("nothing to fit", where="latent_classes", got=got, expected="1 class or more")
    patterns = _patterns(design, items, where)
    if mode is None:
        shares, answers, reached = patterns.best(classes, starts, rng or np.random.default_rng(0))
        form = Form.of(answers, patterns.item, patterns.first)
        start = form.logits(shares, answers) if shares.min() > EDGE else None
    else:
        form, start, starts, reached = mode.form, mode.value.to_numpy(), mode.starts, mode.reached
    names = _names(form, patterns.labels)
    hint = "Ask for fewer classes."
    if start is None:
        raise WelfareError("a class has no members", where="latent_classes", got=f"{classes} classes", hint=hint)
    try:
        theta, at = maximise(start, lambda x: patterns.likelihood(x, form), names, "latent_classes")
    except WelfareError as error:
        what = "the answers do not tell the classes apart"
        raise WelfareError(what, where="latent_classes", got=f"{classes} classes: {error.got}", hint=hint) from error
    used = patterns.of >= 0
    one = patterns.weight @ patterns.marks
    fit = estimated(
        LatentClasses,
        design,
        pd.Series(theta, index=pd.Index(names, name="variable"), name="classes"),
        np.where(used[:, None], at.scores[patterns.of], 0.0),
        at.information,
        used,
        design.domains(None, where, shared_rows(design, items)).codes == 0,
        log_likelihood=at.value,
        null_log_likelihood=float(special.xlogy(one, one / np.add.reduceat(one, patterns.first)[patterns.item]).sum()),
        n_cases=int(used.sum()),
        patterns=patterns,
        form=form,
        starts=starts,
        reached=reached,
    )
    return repeated(fit, lambda d: latent_classes(d, items, classes, where=where, mode=fit))


def _names(form: Form, labels: pd.MultiIndex) -> list[str]:
    """Names of the logits."""
    classes = range(form.free.shape[1])
    free = [f"class {k + 1}: {labels[m][0]} {labels[m][1]}" for k in classes for m in np.flatnonzero(form.free[:, k])]
    return [*(f"class {k + 1}" for k in classes[1:]), *free]


def _patterns(design: Design, items: pd.DataFrame, where: Any) -> Patterns:
    """The different patterns of answers of the rows that are used, and their weights."""
    positive(design.weights, "latent_classes")
    rows = shared_rows(design, items)
    frame = pd.DataFrame(aligned(items, design.n, rows, "items"))
    columns = [pd.Categorical(frame[name]).remove_unused_categories() for name in frame]
    inside = (design.domains(None, where, rows).codes == 0) & frame.notna().any(axis=1).to_numpy()
    lost = [str(n) for n, c in zip(frame, columns, strict=True) if not (inside & (c.codes >= 0)).any()]
    if lost or not len(columns) or not (inside & (design.weights > 0)).any():
        raise WelfareError("nobody answered", where="items", got=lost or list(frame), expected="answers to each item")
    codes = np.column_stack([c.codes.astype(np.int16) for c in columns])
    _, first, of = np.unique(codes[inside], axis=0, return_index=True, return_inverse=True)
    sizes = [len(c.categories) for c in columns]
    item, begins = np.repeat(np.arange(len(columns)), sizes), np.cumsum([0, *sizes[:-1]])
    answer = np.arange(sum(sizes)) - begins[item]
    marks = (codes[inside][first][:, item] == answer).astype(float)
    place = np.full(design.n, -1)
    place[inside] = of.ravel()
    labels = [(str(name), str(level)) for name, c in zip(frame, columns, strict=True) for level in c.categories]
    weight = np.bincount(of.ravel(), weights=design.weights[inside])
    return Patterns(marks, weight, place, item, begins, pd.MultiIndex.from_tuples(labels, names=["item", "answer"]))
