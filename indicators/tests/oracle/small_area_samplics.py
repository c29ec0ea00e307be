"""Area-level models as fitted by the Python package samplics 0.6.1, to the full precision of its iterations.

python3 small_area_samplics.py small_area_datasets.json > small_area_samplics.json

Left out is what it cannot fit: data whose variance between areas is 0, and one model whose steps run below 0.
"""

import json
import sys
from importlib.metadata import version

import numpy as np
from samplics.sae import EblupAreaModel
from samplics.utils.types import FitMethod

results = []
for data in json.load(open(sys.argv[1])):
    y, psi, x = np.array(data["y"]), np.array(data["psi"]), np.array(data["x"], dtype=float)
    area = np.arange(len(y))
    for name, method in (("REML", FitMethod.reml), ("ML", FitMethod.ml), ("FH", FitMethod.fh)):
        model = EblupAreaModel(method=method)
        start, last = float(np.median(psi)), -1.0
        # Version 0.6.1 compares a value with itself in the method ML and stops after two steps; so it is started again from
        # where it stopped until that no longer moves.
        for _ in range(500):
            model.fit(
                yhat=y, X=x, area=area, error_std=np.sqrt(psi), re_std_start=start**0.5, intercept=False,
                tol=1e-12, maxiter=1000,
            )
            last, start = start, float(np.ravel(model.re_std)[0]) ** 2
            if start <= 0 or abs(start - last) <= 1e-13 * last:
                break
        if not start > 0:
            continue
        model.predict(X=x, area=area, intercept=False)
        results.append(
            {
                "dataset": data["name"], "method": name, "version": version("samplics"),
                "sigma2": start, "beta": list(map(float, model.fixed_effects)),
                "eblup": [float(model.area_est[key]) for key in area],
                "mse": [float(model.area_mse[key]) for key in area],
            }
        )
print(json.dumps(results))
