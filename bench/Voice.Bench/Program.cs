using BenchmarkDotNet.Running;
using Voice.Bench;

switch (args)
{
    case ["--joins"]: Joining.Run(); return 0;
    case ["--memory"]: Holding.Run(); return 0;
}

var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args).ToArray();
return summaries.Length > 0 && summaries.All(s => !s.HasCriticalValidationErrors && s.Reports.Length > 0 && s.Reports.All(r => r.Success)) ? 0 : 1;
