"""Social conditions of police staff: from questionnaire to plan, with design-based uncertainty."""

__version__ = "0.1.0"
