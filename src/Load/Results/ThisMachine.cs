using System.Runtime.InteropServices;

namespace Voice.Load.Results;

internal static class ThisMachine
{
    public static Machine Describe() => new(Processor(), Environment.ProcessorCount, "Linux " + File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), RuntimeInformation.FrameworkDescription);

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        ?? RuntimeInformation.ProcessArchitecture.ToString();
}
