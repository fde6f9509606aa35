"""The phases of training, told apart by diffusive time ``tau = T t / sigma^2``."""

import numpy as np

#: Weights have forgotten a tenth of their origin: diffusion is felt from here on.
GRADIENT_END = 0.1
#: Weights have forgotten all but a hundredth of their origin.
EQUILIBRIUM_TAU = 5.0


def phase_at(t, diffusion_rate):
    """Return the phase of training at a time.

    Parameters
    ----------
    t : float
        Gradient-flow time, in [0, inf].
    diffusion_rate : float
        ``T / sigma^2``; zero where nothing diffuses.

    Returns
    -------
    {"gradient", "diffusive", "equilibrium"}
        The phase.
    """
    if t == np.inf:
        return "equilibrium"
    tau = diffusion_rate * t
    if tau < GRADIENT_END:
        return "gradient"
    ends = EQUILIBRIUM_TAU * (1 + 1e-9)  # the automatic times end there, rounded
    return "diffusive" if tau <= ends else "equilibrium"
