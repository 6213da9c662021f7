using System.Runtime.Versioning;
using Xunit.Sdk;
using Xunit.v3;

// Suites share two cores, browsers and ports: one at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]

// Network namespaces, signals, /proc.
[assembly: UnsupportedOSPlatform("windows")]
