"""From demand to plan: what agreements are worth, which services a budget buys, where the caravan goes."""
