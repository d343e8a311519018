"""Compare the monthly costs of EKS and Lambda by number of requests.

`python -m deploy.cost [NAME=VALUE …]` prints the tables of docs/cost.md; a name is a field of `Prices`. Costs that are
the same for both are left out: only the difference matters.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields

_HOURS = 730
_SECONDS = _HOURS * 3600
_MB_IN_GB = 1024
_MILLIONS = (1, 10, 50, 100, 250, 500, 1_000)


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in US dollars without tax, in eu-central-1, and the resources that one request uses.

    Attributes:
        function_million: a million requests to Lambda.
        function_gb_second: a GB of memory for a second, arm64.
        function_warm_gb_second: the additional price of provisioned concurrency, per GB and second.
        function_mb: memory of the function, MB.
        answer_ms: the function's time per request, ms; an estimate between a count (3) and thousands of rows.
        start_ms: the time of cold starts, averaged over all requests, ms.
        api_million: a million requests to an HTTP API.
        log_gb: a GB of logs sent to CloudWatch.
        log_kb: what a request logs, KB.
        control_plane_hour: the Kubernetes control plane.
        nodes: the number of nodes.
        node_hour: an m7g.xlarge, on demand: it runs a pod of two cores and the cluster's own pods.
        balancer_hour: an application load balancer.
        balancer_unit: a capacity unit for an hour, which is 1 GB.
        answer_kb: what the load balancer carries per request, KB.
        fargate_cpu_hour: a vCPU, arm64.
        fargate_gb_hour: a GB of memory, arm64.
        fargate_pods: pods of 1 vCPU and 2 GB, when there are no nodes.
    """

    function_million: float = 0.20
    function_gb_second: float = 0.0000133334
    function_warm_gb_second: float = 0.0000033334
    function_mb: float = 1769
    answer_ms: float = 25
    start_ms: float = 6
    api_million: float = 1.20
    log_gb: float = 0.63
    log_kb: float = 0.8
    control_plane_hour: float = 0.10
    nodes: float = 3
    node_hour: float = 0.1956
    balancer_hour: float = 0.027
    balancer_unit: float = 0.008
    answer_kb: float = 30
    fargate_cpu_hour: float = 0.03725
    fargate_gb_hour: float = 0.00409
    fargate_pods: float = 2

    @property
    def lambda_parts(self) -> dict[str, float]:
        """The cost of a million requests to Lambda."""
        seconds = (self.answer_ms + self.start_ms) * 1_000
        return {
            "requests": self.function_million,
            "time": seconds * self.function_mb / _MB_IN_GB * self.function_gb_second,
            "HTTP API": self.api_million,
            "logs": self.log_kb * self.log_gb,
        }

    @property
    def eks_parts(self) -> dict[str, float]:
        """The cost of a month of EKS without any request."""
        return {
            "control plane": self.control_plane_hour * _HOURS,
            "nodes": self.nodes * self.node_hour * _HOURS,
            "load balancer": self.balancer_hour * _HOURS,
        }

    @property
    def eks_million(self) -> float:
        """The additional cost of a million requests to EKS: the load balancer's capacity, and logs."""
        return self.answer_kb * self.balancer_unit + self.log_kb * self.log_gb

    @property
    def fargate_month(self) -> float:
        """The monthly cost of Fargate pods instead of nodes."""
        return self.fargate_pods * (self.fargate_cpu_hour + 2 * self.fargate_gb_hour) * _HOURS

    @property
    def warm_month(self) -> float:
        """The monthly cost of keeping one environment of the function warm."""
        return self.function_mb / _MB_IN_GB * self.function_warm_gb_second * _SECONDS

    def find_meeting(self, month: float) -> float:
        """Return the millions of requests at which Lambda costs as much as EKS with this fixed cost, or infinity."""
        difference = sum(self.lambda_parts.values()) - self.eks_million
        return month / difference if difference > 0 else float("inf")


def write_tables(prices: Prices) -> Iterator[str]:
    """Yield the lines of the page's tables and totals."""
    yield from _write_parts("one million requests to Lambda", prices.lambda_parts, 2)
    yield from _write_parts("one month of EKS", prices.eks_parts, 0)
    yield f"Each million requests adds {prices.eks_million:.2f} to EKS."
    yield ""
    month, million = sum(prices.eks_parts.values()), sum(prices.lambda_parts.values())
    meeting = prices.find_meeting(month)
    yield "| million requests a month | a second, on average | Lambda | EKS | cheaper |"
    yield "| ---: | ---: | ---: | ---: | --- |"
    for count in sorted({*_MILLIONS, meeting} - {float("inf")}):
        function, cluster = count * million, month + count * prices.eks_million
        cheaper = "neither" if count == meeting else "Lambda" if function < cluster else "EKS"
        yield f"| {count:,.0f} | {count * 1e6 / _SECONDS:,.1f} | {function:,.0f} | {cluster:,.0f} | {cheaper} |"
    yield ""
    fargate = prices.fargate_month
    meeting = prices.find_meeting(month - prices.eks_parts["nodes"] + fargate)
    yield f"Fargate instead of nodes: {fargate:.0f} a month; they meet at {meeting:,.0f} million."
    yield f"One environment of the function kept warm: {prices.warm_month:.0f} a month."


def _write_parts(name: str, parts: dict[str, float], digits: int) -> Iterator[str]:
    yield f"| {name} | |"
    yield "| --- | ---: |"
    for part, cost in {**parts, "**sum**": sum(parts.values())}.items():
        yield f"| {part} | {cost:.{digits}f} |"
    yield ""


def read_prices(arguments: list[str]) -> Prices:
    """Return the default prices, overridden by the arguments.

    Raises:
        ValueError: an argument is not NAME=VALUE with a known name and a number of 0 or more; the message names it.
    """
    known = {field.name for field in fields(Prices)}
    given: dict[str, float] = {}
    for argument in arguments:
        name, _, text = argument.partition("=")
        if name not in known or not text.replace(".", "", 1).isdecimal():
            raise ValueError(
                f"{argument}: give NAME=VALUE, such as node_hour=0.18; the names are {', '.join(sorted(known))}"
            )
        given[name] = float(text)
    return Prices(**given)


def main(arguments: list[str]) -> int:
    """Print the tables; return 2 for an invalid argument."""
    try:
        prices = read_prices(arguments)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join(write_tables(prices)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
