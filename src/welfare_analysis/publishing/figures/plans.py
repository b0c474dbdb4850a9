"""The figures that notebooks show by name."""

from __future__ import annotations

from functools import partial

from ...results import HEADLINES
from .bars import bands, flow, heat, histogram, pyramid, stacked, tornado, weight_bars
from .dots import categories, groups, profile, steps, with_without
from .lines import against_rate, curve
from .style import Plan

FIGURES = {
    "evidence": Plan(stacked, ("evidence",)),
    "flow": Plan(flow, ("dispositions",)),
    "response": Plan(
        partial(profile, name="response"),
        tuple(n + by for n in ("returned", "responded") for by in ("_by_status", "_by_rank", "_by_command")),
        any_table=True,
    ),
    "weights_by_stage": Plan(weight_bars, ("weights_by_stage",)),
    "nonresponse_bias": Plan(with_without, ("nonresponse_bias",)),
    "who_they_are": Plan(pyramid, ("members_by_age_and_sex", "members_by_age")),
    "profile": Plan(
        profile,
        tuple(n + by for n in HEADLINES for by in ("", "_by_status", "_by_rank", "_by_command")),
        any_table=True,
    ),
    "conditions": Plan(
        partial(profile, name="conditions"),
        tuple(n + by for n in HEADLINES[:-1] for by in ("", "_by_status")),
        any_table=True,
    ),
    "standards": Plan(steps, tuple(f"{n}_standards" for n in HEADLINES[1:]), any_table=True),
    "tenure_by_rank": Plan(categories, ("tenure_by_rank",)),
    "crowded_by_rank": Plan(groups, ("crowded_by_rank",)),
    "crowded_by_command": Plan(groups, ("crowded_by_command",)),
    "rent_median_by_command": Plan(groups, ("rent_median_by_command",)),
    "rent_band_by_rank": Plan(bands, ("rent_band_by_rank",), 0.3),
    "cost_burdened_by_rank": Plan(groups, ("cost_burdened_by_rank",)),
    "debt_band_by_rank": Plan(bands, ("debt_band_by_rank",), 0.4),
    "commute_band_by_command": Plan(categories, ("commute_band_by_command",)),
    "adjusted_place": Plan(categories, ("adjusted_place",)),
    "priority_by_status": Plan(partial(categories, one_scale=True, ranked=True), ("priority_by_status",)),
    "health_rank_by_status": Plan(partial(categories, one_scale=True, ranked=True), ("health_rank_by_status",)),
    "hopes_by_status": Plan(partial(categories, one_scale=True), ("hopes_by_status",)),
    "core_need_by_command": Plan(groups, ("core_need_by_command",)),
    "home_city_group_by_command": Plan(heat, ("home_city_group_by_command",)),
    "commute_mode_by_command": Plan(partial(categories, lines=2), ("commute_mode_by_command",)),
    "commute_band_by_rank": Plan(categories, ("commute_band_by_rank",)),
    "commute_cost_band_by_rank": Plan(categories, ("commute_cost_band_by_rank",)),
    "transport_funnel": Plan(categories, ("transport_funnel",)),
    "transport_funnel_by_command_group": Plan(partial(categories, lines=2), ("transport_funnel_by_command_group",)),
    "transport_acceptability": Plan(heat, ("transport_acceptability",)),
    "transport_curve": Plan(curve, ("transport_curve",)),
    "transport_tornado": Plan(tornado, ("transport_tornado", "transport_cases")),
    "homes_worth": Plan(partial(categories, one_scale=True), ("homes_worth",)),
    "homes_funnel": Plan(categories, ("homes_funnel",)),
    "homes_funnel_by_command_group": Plan(partial(categories, lines=2), ("homes_funnel_by_command_group",)),
    "homes_acceptability": Plan(heat, ("homes_acceptability",)),
    "homes_curve": Plan(curve, ("homes_curve",)),
    "homes_tornado": Plan(tornado, ("homes_tornado", "homes_realised")),
    "loans_service": Plan(histogram, ("loans_service",), 0.4),
    "loans_funnel": Plan(categories, ("loans_funnel",)),
    "loans_funnel_by_command_group": Plan(partial(categories, lines=2), ("loans_funnel_by_command_group",)),
    "loans_acceptability": Plan(heat, ("loans_acceptability",)),
    "loans_curve": Plan(against_rate, ("loans_curve",)),
}
