from pathlib import Path

import pytest

from welfare_analysis.survey import standin


@pytest.fixture(scope="session")
def worlds():
    """One stand-in population of 20,000 people (seed 1) in its three versions."""
    parameters = standin.Parameters.read(Path(__file__).parents[2] / "data" / "public")
    return {version: standin.generate(parameters, 1, version, size=20000) for version in standin.VERSIONS}
