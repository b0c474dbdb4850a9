"""Social conditions of police staff: from questionnaire to plan, with design-based uncertainty."""

__version__ = "0.1.0"

import os

# Before NumPy is imported: on small matrices the threads of OpenBLAS wait for each other, and a fit takes twice as
# long; columns go side by side in threads of our own (`estimation.threads`).
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
