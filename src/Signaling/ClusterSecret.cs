using System.Security.Cryptography;
using System.Text;
using Voice.Signaling.Hosting;

namespace Voice.Signaling;

/// <summary>What voice nodes and gateways prove to each other. On one machine both read the same file; elsewhere its text is
/// passed to each as an option.</summary>
public static class ClusterSecret
{
    private const string FileName = "cluster-secret";
    private const int MinLength = 16;

    /// <summary>The secret: the bytes of <paramref name="given"/>, else of the file in the data folder, which is made on first start
    /// with 32 random bytes as hexadecimal text.</summary>
    /// <exception cref="StartupException">Too short, or the file can not be made or read.</exception>
    public static byte[] Open(string dataDirectory, string? given = null)
    {
        if (given is not null) return Checked(given, "the cluster secret given");
        var kept = SecretFile.ReadOrMake(dataDirectory, FileName, () => RandomNumberGenerator.GetHexString(64, lowercase: true));
        return Checked(kept, $"the cluster secret in {Path.Combine(dataDirectory, FileName)}");
    }

    private static byte[] Checked(string text, string what)
    {
        text = text.Trim();
        if (text.Length < MinLength) throw new StartupException($"{what} is shorter than {MinLength} characters: use a longer random one");
        return Encoding.UTF8.GetBytes(text);
    }
}
