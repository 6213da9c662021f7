using System.Globalization;

namespace Voice.Media;

/// <summary>What a media process is started with: descriptors that it inherited, by number.</summary>
/// <param name="Link">A connected Unix stream socket: the media link.</param>
/// <param name="Udp">For each worker its bound UDP sockets: one (dual-stack or of one family), or two, IPv4 and IPv6, on the
/// same port number.</param>
/// <param name="Memory">The checkpoints' memory; null: nobody will go on where this process stops.</param>
/// <param name="Faults">Signals make it do wrong: see <see cref="Net.Faults"/>.</param>
public sealed record MediaProcessOptions(int Link, int[][] Udp, int? Memory = null, bool Faults = false)
{
    /// <summary>Parses <c>5,6;7,8</c>: workers separated by semicolons, a worker's sockets by commas.</summary>
    public static bool TryParseUdp(string text, out int[][] udp)
    {
        var workers = text.Split(';');
        udp = new int[workers.Length][];
        for (var i = 0; i < workers.Length; i++)
        {
            var sockets = workers[i].Split(',');
            if (sockets.Length > 2) return false;
            udp[i] = new int[sockets.Length];
            for (var j = 0; j < sockets.Length; j++)
            {
                if (!int.TryParse(sockets[j], NumberStyles.None, CultureInfo.InvariantCulture, out udp[i][j])) return false;
            }
        }
        return true;
    }
}
